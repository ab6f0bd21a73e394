#include "connector/feed_checks.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "connector/channel_template.hpp"
#include "postgres/rows.hpp"

namespace connector {
namespace {

using base::ErrorCode;
using postgres::quote_identifier;

constexpr int row_filters_since = 150'000;
constexpr int column_lists_since = 150'002;  // before, those of partitioned tables were sent with the wrong columns

bool has(const std::vector<std::string>& names, const std::string& name) { return std::ranges::find(names, name) != names.end(); }
bool has_all(const std::vector<std::string>& names, const std::vector<std::string>& wanted) {
    return std::ranges::all_of(wanted, [&](const std::string& each) { return has(names, each); });
}

void add(std::vector<std::string>& names, const std::vector<std::string>& more) {
    for (const auto& name : more) {
        if (!has(names, name)) names.push_back(name);
    }
}

/// What rows are addressed by: the columns in channels' names and, where rows are messages, their key.
std::vector<std::string> addressing(const Feed& feed, const Table& table) {
    std::vector<std::string> columns;
    if (const auto channel = ChannelTemplate::parse(feed.channel)) columns = channel->columns();
    if (feed.payload == Payload::message) add(columns, table.key);
    return columns;
}

std::string full_identity(const TableName& name) { return "ALTER TABLE " + quoted(name) + " REPLICA IDENTITY FULL;"; }

/// A relation that rows are in, or that they are sent as.
struct Relation {
    const TableName& name;
    Identity identity;
    bool is_partition;
};
std::vector<Relation> relations_of(const TableName& name, const Table& table) {
    std::vector<Relation> relations{{name, table.own_identity(), false}};
    for (const auto& each : table.partitions) {
        if (each.kind == 'r') relations.push_back({each.name, each.identity, true});  // those of other kinds have no rows in the WAL
    }
    return relations;
}

class Check {
public:
    Check(const TableName& name, const Table& table) : name_(name), table_(table), relations_(relations_of(name, table)) {}

    void refuse(std::string says, std::string sql, ErrorCode code = ErrorCode::conflict) {
        refusals.push_back({.table = name_, .says = std::move(says), .sql = std::move(sql), .breaks_writes = false, .code = code});
    }

    /// True when every relation has an identity, and those of partitions say what the table's does.
    bool identities() {
        for (const auto& [relation, identity, is_partition] : relations_) {
            const auto what =
                is_partition ? fmt::format("partition {} of table {}", quoted(relation), quoted(name_)) : "table " + quoted(name_);
            if (!identity.exists()) {
                refuse(identity.key_is_deferrable
                           ? fmt::format("{} has no replica identity, since its primary key is deferrable: published, every UPDATE and "
                                         "DELETE of it would fail. Give it a key that is not",
                                         what)
                           : fmt::format("{} has no replica identity: published, every UPDATE and DELETE of it would fail. Give it a "
                                         "primary key",
                                         what),
                       full_identity(relation));
                refusals.back().breaks_writes = true;
            } else if (is_partition && !identity.full && (table_.identity_full || !has_all(identity.columns, table_.identity))) {
                refuse(fmt::format("{} has another replica identity than the table: of its UPDATEs and DELETEs Postgres would send "
                                   "columns empty that were not",
                                   what),
                       full_identity(relation));
            }
        }
        return refusals.empty();
    }

    void logged() {
        if (table_.unlogged) {
            refuse(fmt::format("table {} is unlogged: its changes are in no WAL", quoted(name_)),
                   fmt::format("ALTER TABLE {} SET LOGGED;", quoted(name_)));
        }
        for (const auto& each : table_.partitions) {
            if (each.persistence != 'u' || each.kind != 'r') continue;
            refuse(fmt::format("partition {} of table {} is unlogged: its changes are in no WAL", quoted(each.name), quoted(name_)),
                   fmt::format("ALTER TABLE {} SET LOGGED;", quoted(each.name)));
        }
    }

    void key(const std::vector<Feed>& feeds, bool snapshot) {
        const bool rows_need_key = std::ranges::any_of(feeds, [](const Feed& each) { return each.payload == Payload::message; });
        if (!table_.key.empty() || !(rows_need_key || snapshot)) return;
        refuse(fmt::format("table {} has no primary key, which {} needs", quoted(name_),
                           rows_need_key ? "payload = \"message\"" : "snapshot = \"initial\""),
               fmt::format("ALTER TABLE {} ADD PRIMARY KEY (…);", quoted(name_)));
    }

    void columns(const Feed& feed) {
        auto named = feed.columns;
        add(named, addressing(feed, table_));
        for (const auto& column : named) {
            if (std::ranges::find(table_.columns, column, &Table::Column::name) != table_.columns.end()) continue;
            refuse(fmt::format("table {} has no column {} that is published", quoted(name_), quote_identifier(column)), "",
                   ErrorCode::not_found);
        }
    }

    /// Of every relation: an old row has no more than its own identity.
    void addresses(const Feed& feed) {
        if (!feed.updates && !feed.deletes) return;
        const auto wanted = addressing(feed, table_);
        for (const auto& [relation, identity, is_partition] : relations_) {
            if (identity.full || has_all(identity.columns, wanted)) continue;
            refuse(fmt::format("{} {} is fed to \"{}\", and an UPDATE or DELETE does not say where the row was: what names it is not in "
                               "the replica identity",
                               is_partition ? "partition" : "table", quoted(relation), feed.channel),
                   full_identity(relation));
        }
    }

    void filter(const Feed& feed, const Feed& first, int version) {
        if (feed.where != first.where) {
            refuse(fmt::format("the feeds of table {} differ in \"where\": a publication has one filter for a table", quoted(name_)), "");
        }
        if (feed.where.empty()) return;
        if (version < row_filters_since) {
            return refuse(fmt::format("table {} is fed with \"where\", which is a publication's row filter: Postgres has them from 15 on",
                                      quoted(name_)), "");
        }
        for (const auto& [relation, identity, is_partition] : relations_) {
            if (identity.full) continue;
            refuse(fmt::format("{} {} is fed with \"where\": its filter would make UPDATE and DELETE fail where it looks at a column "
                               "outside the replica identity",
                               is_partition ? "partition" : "table", quoted(relation)),
                   full_identity(relation));
        }
    }

    Refusals refusals;

private:
    const TableName& name_;
    const Table& table_;
    std::vector<Relation> relations_;
};

}  // namespace

std::string quoted(const TableName& table) { return quote_identifier(table.first) + "." + quote_identifier(table.second); }

std::map<TableName, std::vector<Feed>> feeds_by_table(const Config& config) {
    std::map<TableName, std::vector<Feed>> tables;
    for (const auto& feed : config.feeds) tables[{feed.schema, feed.table}].push_back(feed);
    return tables;
}

Refusals refusals_of(const std::vector<Feed>& feeds, const TableName& name, const Table& table, bool snapshot, int version) {
    Check check{name, table};
    check.logged();
    const bool known = check.identities();
    check.key(feeds, snapshot);
    for (const auto& feed : feeds) {
        check.columns(feed);
        if (known) check.addresses(feed);  // what identities() asks for is enough
        if (known) check.filter(feed, feeds.front(), version);
    }
    // Two feeds may miss the same.
    Refusals once;
    for (auto& each : check.refusals) {
        const bool is_new = std::ranges::none_of(once, [&](const Refusal& other) { return other.text() == each.text(); });
        if (is_new) once.push_back(std::move(each));
    }
    return once;
}

Refusals refusals_among(const Tables& tables) {
    Refusals refusals;
    for (const auto& [name, table] : tables) {
        for (const auto& partition : table.partitions) {
            if (!tables.contains(partition.name)) continue;
            refusals.push_back({.table = partition.name,
                                .says = fmt::format("table {} is a partition of {}, which is fed too: its changes are sent as those of {} "
                                                    "only. Take one of the two out of the configuration",
                                                    quoted(partition.name), quoted(name), quoted(name)),
                                .sql = {}});
        }
    }
    return refusals;
}

base::Error to_error(const Refusals& refusals) {
    std::string text;
    const auto told = std::min(refusals.size(), refusals_told_max);
    for (std::size_t i = 0; i < told; ++i) text += (text.empty() ? "" : " Also: ") + refusals[i].text();
    if (told < refusals.size()) text += fmt::format(" And {} more: palimpsest doctor names them all", refusals.size() - told);
    return {refusals.front().code, std::move(text)};
}

bool publication_breaks_writes(const Table& table) {
    if (table.member == 0) return false;
    const TableName any;
    return std::ranges::any_of(relations_of(any, table), [&](const Relation& each) {
        if (each.is_partition == table.partitioned) {  // a partitioned table has no rows itself
            const auto& [name, identity, is_partition] = each;
            if (table.listed && (identity.full || !has_all(*table.listed, identity.columns))) return true;
            return !identity.full && !has_all(identity.columns, table.filtered_by);
        }
        return false;
    });
}

std::string published(const std::vector<Feed>& feeds, const TableName& name, const Table& table, int version) {
    auto text = quoted(name);
    const bool some = std::ranges::none_of(feeds, [](const Feed& each) { return each.columns.empty(); });
    if (some && version >= column_lists_since && !table.identity_full && !table.partitioned) {
        std::vector<std::string> columns;
        for (const auto& feed : feeds) {
            add(columns, feed.columns);
            add(columns, addressing(feed, table));
        }
        add(columns, table.identity);
        add(columns, table.key);
        std::string list;
        for (const auto& column : columns) list += (list.empty() ? "" : ", ") + quote_identifier(column);
        text += " (" + list + ")";
    }
    if (const auto& where = feeds.front().where; !where.empty()) text += " WHERE (" + where + ")";
    return text;
}

}  // namespace connector
