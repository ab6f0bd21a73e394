#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/child.hpp"
#include "bench/histogram.hpp"
#include "bench/stamp.hpp"

namespace bench {

struct Database {
    std::string conninfo;  // empty: messages are published by clients
    std::string sql;       // a statement that writes a row; {} is where the payload goes
    std::string channel;   // on which its changes come
    std::string tap;       // a publication that a consumer of our own reads too: what the WAL alone takes
};

/// How long each stage of a change took.
struct Stages {
    Histogram commit;    // due -> the database has answered
    Histogram decode;    // answered -> a bare consumer of the WAL has it
    Histogram first;     // answered -> the first subscriber has it
    Histogram fan_out;   // the first subscriber has it -> each has
    Histogram delivery;  // answered -> each subscriber has it
};

/// Commits rows through one psql, in order, and remembers when each was answered and delivered.
class Commits {
public:
    explicit Commits(Database database, std::size_t payload_bytes);
    ~Commits();
    Commits(const Commits&) = delete;
    Commits& operator=(const Commits&) = delete;

    /// To be waited for; -1 when there is none.
    int answers() const { return psql_.output(); }
    int wal() const { return tap_ ? tap_->output() : -1; }

    void commit(const Stamp& stamp, std::string_view payload);
    void flush() { psql_.flush(); }
    void on_answers(std::int64_t now);
    void on_wal(std::int64_t now);
    void on_delivery(const Stamp& stamp, std::int64_t now);

    std::size_t answered() const { return answered_; }
    /// Of the changes due at `from` or later.
    Stages stages(std::int64_t from) const;

private:
    struct Change {
        std::int64_t due = 0, answered = 0, decoded = 0, first = 0;
        std::vector<std::int64_t> delivered;
    };

    Database database_;
    Child psql_;
    std::unique_ptr<Child> tap_;
    StampScanner scanner_;
    std::string wrote_, wal_;
    std::vector<Change> changes_;  // by number
    std::size_t answered_ = 0;
};

}  // namespace bench
