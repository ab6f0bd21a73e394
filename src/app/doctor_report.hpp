#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/config.hpp"

/// What the doctor knows and what it makes of it. No I/O.
namespace app {

struct Finding {
    enum class Level : std::uint8_t { good, warning, bad };
    Level level = Level::good;
    std::string about;  // one or two words
    std::string says;
    std::string mend;  // SQL or a command, a line each

    friend bool operator==(const Finding&, const Finding&) = default;
};
using Findings = std::vector<Finding>;

struct TableFacts {
    std::string schema, table;
    bool exists = false, is_table = false, owned = false, published = false;
    char identity = 'd';                    // pg_class.relreplident
    bool has_identity = false;              // something says which row an UPDATE or DELETE met
    std::string key;                        // the columns that say so, quoted; empty when all do
    bool updates = false, deletes = false;  // are wanted
    struct Problem {
        std::string says, mend;
    };
    std::vector<Problem> problems;      // of the table and each of its partitions: why the connector would refuse it
    std::vector<std::string> children;  // by INHERITS
};
struct SlotFacts {
    bool ours = false, active = false;  // decodes this database with pgoutput; is being read
    std::string wal_status;
    std::int64_t lag_bytes = 0;
    std::optional<std::int64_t> safe_wal_bytes;
};
struct PublicationFacts {
    bool owned = false, all_operations = false;
    std::vector<std::string> strangers;  // relations in it that no feed names, and whose UPDATE and DELETE fail for it; quoted
};
/// What the original connector left in the database, each as SQL names it.
struct OriginalFacts {
    struct Trigger {
        std::string name, table;
    };
    std::vector<Trigger> triggers;
    std::vector<std::string> functions, control_tables;
};
struct DatabaseFacts {
    std::string role, database, version, wal_level, encoding, synchronous_commit, keep_size;
    int version_number = 0;
    bool superuser = false, replication = false, may_create = false, in_recovery = false;
    bool local = false, tls = false, verified = false;
    int slots_max = 0, slots_used = 0, senders_max = 0, senders_used = 0;
    std::int64_t keep_bytes = -1;   // max_slot_wal_keep_size; -1: without a bound
    bool published_before = false;  // by this slot
    std::optional<SlotFacts> slot;
    std::optional<PublicationFacts> publication;
    std::vector<TableFacts> tables;
    OriginalFacts original;
};

Findings diagnose(const Config& config, const DatabaseFacts& facts);

bool is_well(const Findings& findings);
/// For a terminal.
std::string to_text(const Findings& findings, bool coloured);
/// {"ok":…,"findings":[{"level","about","says","mend"}]}
std::string to_json(const Findings& findings);

}  // namespace app
