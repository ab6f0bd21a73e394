#include "app/doctor_report.hpp"

#include <algorithm>
#include <sstream>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "postgres/rows.hpp"

namespace app {
namespace {

using Level = Finding::Level;
using postgres::quote_identifier;
using postgres::quote_literal;

class Diagnosis {
public:
    void good(std::string about, std::string says) { add(Level::good, std::move(about), std::move(says), {}); }
    void warning(std::string about, std::string says, std::string mend) {
        add(Level::warning, std::move(about), std::move(says), std::move(mend));
    }
    void bad(std::string about, std::string says, std::string mend) {
        add(Level::bad, std::move(about), std::move(says), std::move(mend));
    }
    Findings findings;

private:
    void add(Level level, std::string about, std::string says, std::string mend) {
        findings.push_back({.level = level, .about = std::move(about), .says = std::move(says), .mend = std::move(mend)});
    }
};

std::string name_of(const TableFacts& table) { return quote_identifier(table.schema) + "." + quote_identifier(table.table); }

std::string readable(std::int64_t bytes) {
    const char* const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < std::size(units); ++unit) value /= 1024;
    return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

void look_at_server(Diagnosis& out, const DatabaseFacts& facts) {
    if (facts.version_number < 140'000)
        out.bad("version", "Postgres " + facts.version + ": 14 or later is needed", "upgrade Postgres");
    else
        out.good("version", "Postgres " + facts.version);
    if (facts.in_recovery)
        out.bad("server", "this is a standby, which takes no slot of ours and no schema",
                "connect to the primary: target_session_attrs=read-write");
    if (facts.wal_level != "logical") {
        out.bad("wal_level", fmt::format("wal_level is {}: the log does not say what changed", facts.wal_level),
                "ALTER SYSTEM SET wal_level = logical;\n-- then restart Postgres (RDS: the parameter rds.logical_replication = 1)");
    } else {
        out.good("wal_level", "logical");
    }
    if (facts.encoding == "SQL_ASCII")
        out.bad("encoding", "the database has no encoding (SQL_ASCII), so what is in it may not be text",
                "recreate it with ENCODING 'UTF8'");
    if (facts.synchronous_commit == "off") {
        out.warning("commits",
                    "synchronous_commit is off: changes arrive some 150 ms later, and what a crash loses was not yet published",
                    "ALTER SYSTEM SET synchronous_commit = on;\nSELECT pg_reload_conf();");
    }
}

void look_at_room(Diagnosis& out, const DatabaseFacts& facts) {
    const bool reading = facts.slot && facts.slot->active;
    if (!facts.slot && facts.slots_used >= facts.slots_max) {
        out.bad("room", fmt::format("all {} replication slots are taken", facts.slots_max),
                fmt::format("ALTER SYSTEM SET max_replication_slots = {};\n-- then restart Postgres", facts.slots_max + 4));
    } else if (!reading && facts.senders_used >= facts.senders_max) {
        out.bad("room", fmt::format("all {} WAL senders are busy", facts.senders_max),
                fmt::format("ALTER SYSTEM SET max_wal_senders = {};\n-- then restart Postgres", facts.senders_max + 4));
    } else {
        out.good("room", fmt::format("{} of {} replication slots and {} of {} WAL senders are in use", facts.slots_used,
                                     facts.slots_max, facts.senders_used, facts.senders_max));
    }
    if (facts.keep_bytes < 0) {
        out.warning("retention",
                    "max_slot_wal_keep_size has no bound: while the connector is away, the log grows until the disk is full",
                    "ALTER SYSTEM SET max_slot_wal_keep_size = '10GB';\nSELECT pg_reload_conf();");
    } else {
        out.good("retention", fmt::format("a slot keeps {} of log at most (max_slot_wal_keep_size)", facts.keep_size));
    }
}

void look_at_role(Diagnosis& out, const DatabaseFacts& facts) {
    const auto role = quote_identifier(facts.role);
    if (!facts.replication && !facts.superuser) {
        out.bad("role", fmt::format("{} may not replicate", facts.role),
                fmt::format("ALTER ROLE {} REPLICATION;\n-- on RDS: GRANT rds_replication TO {};", role, role));
    } else {
        out.good("role", fmt::format("{} may replicate", facts.role));
    }
    if (facts.role == "palimpsest")
        out.warning("role", "a role named palimpsest finds its tables in our schema of that name first",
                    "use a role with another name");
    if (!facts.may_create && !facts.superuser) {
        out.bad("role", fmt::format("{} may not make our schema and publication in this database", facts.role),
                fmt::format("GRANT CREATE ON DATABASE {} TO {};", quote_identifier(facts.database), role));
    }
    if (facts.local)
        out.good("tls", "not needed: this is a connection within the machine");
    else if (!facts.tls)
        out.warning("tls", "what goes between the database and here is not encrypted",
                    "add sslmode=verify-full to the connection string");
    else if (!facts.verified)
        out.warning("tls", "encrypted, but nobody checks that the database is the one it says",
                    "add sslmode=verify-full and sslrootcert=FILE to the connection string");
    else
        out.good("tls", "encrypted, and the server's certificate is verified");
}

void look_at_table(Diagnosis& out, const DatabaseFacts& facts, const TableFacts& table) {
    const auto name = name_of(table), about = "table " + table.table;
    if (!table.exists)
        return out.bad(about, fmt::format("there is no table {}", name),
                       table.schema == "public" && table.table == "chat_data"
                           ? "palimpsest up  # at its start it makes its own tables, anew if somebody has dropped them"
                           : "name it as it is in the database, with its schema and its case");
    if (!table.is_table)
        return out.bad(about, fmt::format("{} is not a table: views and foreign tables have no changes in the log", name),
                       "publish the tables it is made of");
    for (const auto& [says, mend] : table.problems) out.bad(about, says, mend);
    if (!table.children.empty()) {
        std::string names;
        for (const auto& child : table.children) names += (names.empty() ? "" : ", ") + child;
        out.warning(about, fmt::format("rows of {}, which inherit from {}, are not fed with it", names, name),
                    "feed them as tables of their own, if subscribers need them");
    }
    if (!table.has_identity) {
        return out.bad(
            about, fmt::format("{} has no primary key: once it is published, every UPDATE and DELETE of it fails", name),
            fmt::format("ALTER TABLE {0} ADD PRIMARY KEY (…);\n-- or, if there is no key: ALTER TABLE {0} REPLICA IDENTITY FULL;",
                        name));
    }
    if (!table.problems.empty()) return;
    if (!table.owned && !facts.superuser && !table.published) {
        return out.bad(about, fmt::format("{} is not {}'s, so it cannot be put into the publication", name, facts.role),
                       fmt::format("ALTER TABLE {} OWNER TO {};", name, quote_identifier(facts.role)));
    }
    if (table.identity != 'f' && (table.deletes || table.updates)) {
        const auto what = table.deletes ? fmt::format("a DELETE of {} tells its key only ({})", name, table.key)
                                        : fmt::format("an UPDATE of {} does not tell long values that it left alone", name);
        return out.warning(about, what,
                           fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL;  -- if subscribers need the whole row", name));
    }
    out.good(about, fmt::format("{} tells whole rows", name));
}

void look_at_publication(Diagnosis& out, const Config& config, const DatabaseFacts& facts) {
    const auto name = quote_identifier(config.publication);
    if (!facts.publication) return out.good("publication", fmt::format("{} is made at the first start", name));
    std::string missing;
    for (const auto& table : facts.tables) {
        if (table.exists && !table.published) missing += (missing.empty() ? "" : ", ") + name_of(table);
    }
    const bool mine = facts.publication->owned || facts.superuser;
    for (const auto& stranger : facts.publication->strangers) {
        out.bad("publication",
                fmt::format("{} has {}, which nothing feeds and which has no replica identity: its UPDATE and DELETE fail", name, stranger),
                fmt::format("ALTER PUBLICATION {} DROP TABLE ONLY {};", name, stranger));
    }
    if (missing.empty() && facts.publication->all_operations)
        out.good("publication", fmt::format("{} has every table", name));
    else if (mine)
        out.good("publication", fmt::format("{} is brought up to date at the next start", name));
    else if (!missing.empty())
        out.bad("publication", fmt::format("{} does not have {}, and is not {}'s to change", name, missing, facts.role),
                fmt::format("ALTER PUBLICATION {} ADD TABLE {};", name, missing));
    else
        out.bad("publication", fmt::format("{} leaves operations out, and is not {}'s to change", name, facts.role),
                fmt::format(
                    "ALTER PUBLICATION {} SET (publish = 'insert, update, delete, truncate', publish_via_partition_root = true);",
                    name));
}

void look_at_slot(Diagnosis& out, const Config& config, const DatabaseFacts& facts) {
    const auto literal = quote_literal(config.slot);
    const auto forget = fmt::format("DELETE FROM palimpsest.channel_tail WHERE slot = {};", literal);
    if (!facts.slot) {
        if (!facts.published_before) return out.good("slot", fmt::format("{} is made at the first start", config.slot));
        return out.bad(
            "slot",
            fmt::format("{} is gone, and with it what was changed since: the connector will not go on as if nothing had happened",
                        config.slot),
            forget);
    }
    const auto& slot = *facts.slot;
    if (!slot.ours)
        return out.bad("slot",
                       fmt::format("{} is another program's: it decodes another database, or not with pgoutput", config.slot),
                       "choose another name: [connector] slot");
    if (slot.wal_status == "lost") {
        return out.bad(
            "slot", fmt::format("{} was invalidated: the log it needed is gone, and changes are lost to subscribers", config.slot),
            fmt::format("SELECT pg_drop_replication_slot({});\n{}", literal, forget));
    }
    const auto state =
        fmt::format("{} is {}, {} behind", config.slot, slot.active ? "being read" : "not being read", readable(slot.lag_bytes));
    const auto safe = slot.safe_wal_bytes;
    if (slot.wal_status == "unreserved" || (safe && facts.keep_bytes > 0 && *safe < facts.keep_bytes / 5)) {
        return out.bad(
            "slot", fmt::format("{}; {} more and its log is removed", state, readable(std::max<std::int64_t>(0, safe.value_or(0)))),
            fmt::format("{}ALTER SYSTEM SET max_slot_wal_keep_size = '{}MB';\nSELECT pg_reload_conf();",
                        slot.active ? "" : "palimpsest connect  # start it\n",
                        std::max<std::int64_t>(1, facts.keep_bytes / (1 << 20)) * 2));
    }
    if (!slot.active)
        out.warning("slot", state,
                    "palimpsest connect  # or, if you will not use it again: SELECT pg_drop_replication_slot(" + literal + ");");
    else
        out.good("slot", state);
}

void look_for_the_original(Diagnosis& out, const OriginalFacts& original) {
    if (original.triggers.empty() && original.functions.empty() && original.control_tables.empty()) return;
    std::string mend;
    for (const auto& [name, table] : original.triggers) mend += fmt::format("DROP TRIGGER {} ON {};\n", name, table);
    for (const auto& function : original.functions) mend += fmt::format("DROP FUNCTION {};\n", function);
    for (const auto& table : original.control_tables) mend += fmt::format("DROP TABLE {};\n", table);
    mend.pop_back();
    const auto count = original.triggers.size();
    out.warning("original",
                count > 0
                    ? fmt::format("the original connector left {} trigger{} behind: every write still notifies, one at a time",
                                  count, count == 1 ? "" : "s")
                    : "the original connector left things behind that nothing uses",
                std::move(mend));
}

std::string painted(std::string_view text, const char* colour, bool coloured) {
    return coloured ? fmt::format("\x1b[{}m{}\x1b[0m", colour, text) : std::string{text};
}

}  // namespace

Findings diagnose(const Config& config, const DatabaseFacts& facts) {
    Diagnosis out;
    look_at_server(out, facts);
    look_at_role(out, facts);
    look_at_room(out, facts);
    for (const auto& table : facts.tables) look_at_table(out, facts, table);
    look_at_publication(out, config, facts);
    look_at_slot(out, config, facts);
    look_for_the_original(out, facts.original);
    return std::move(out.findings);
}

bool is_well(const Findings& findings) {
    return std::ranges::none_of(findings, [](const Finding& each) { return each.level == Level::bad; });
}

std::string to_text(const Findings& findings, bool coloured) {
    std::size_t width = 0;
    for (const auto& each : findings) width = std::max(width, each.about.size());
    std::string text = "\n";
    for (const auto& [level, about, says, mend] : findings) {
        const auto mark = level == Level::good      ? painted("✓", "32", coloured)
                          : level == Level::warning ? painted("!", "33", coloured)
                                                    : painted("✗", "31;1", coloured);
        text += fmt::format("  {} {}{}  {}\n", mark, painted(about, "1", coloured), std::string(width - about.size(), ' '), says);
        std::istringstream lines{mend};
        for (std::string line; std::getline(lines, line);)
            text += fmt::format("    {}  {}\n", std::string(width, ' '), painted(line, "36", coloured));
    }
    const auto count = [&](Level level) { return std::ranges::count(findings, level, &Finding::level); };
    const auto bad = count(Level::bad), warnings = count(Level::warning);
    const auto noted = warnings == 0 ? std::string{} : fmt::format(", {} to think about", warnings);
    text += bad == 0 ? painted(fmt::format("\n  All is well{}.\n\n", noted), "32", coloured)
                     : painted(fmt::format("\n  {} to mend{}.\n\n", bad, noted), "31;1", coloured);
    return text;
}

std::string to_json(const Findings& findings) {
    boost::json::array all;
    for (const auto& [level, about, says, mend] : findings) {
        const char* const name = level == Level::good ? "good" : level == Level::warning ? "warning" : "bad";
        boost::json::object each{{"level", name}, {"about", about}, {"says", says}};
        if (!mend.empty()) each["mend"] = mend;
        all.emplace_back(std::move(each));
    }
    return boost::json::serialize(boost::json::object{{"ok", is_well(findings)}, {"findings", std::move(all)}});
}

}  // namespace app
