#include "connector/sources.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace connector {

using namespace postgres::pgoutput;
using base::ErrorCode;
using base::fail;
using base::Result;
using Kind = postgres::pgoutput::Column::Kind;

void Sources::restart(const Config& config, Tables tables, TypesPtr types, std::vector<SnapshotPart> parts) {
    feeds_ = config.feeds;
    message_name_ = config.message_name;
    tables_ = std::move(tables);
    parts_ = std::move(parts);
    read_until_ = parts_.empty() ? Lsn{} : parts_.back().consistent;
    types_ = std::move(types);
    sources_.clear();
}

std::vector<std::uint32_t> Sources::unknown_types(const postgres::pgoutput::Relation& message) const {
    std::vector<std::uint32_t> unknown;
    for (const auto& column : message.columns) {
        if (!types_->knows(column.type)) unknown.push_back(column.type);
    }
    return unknown;
}

void Sources::describe(const postgres::pgoutput::Relation& message) { describe(message.oid, relation_of(message, types_)); }

void Sources::describe(std::uint32_t relation, const TableName& name) {
    const auto& table = tables_.at(name);
    connector::Relation described{.schema = name.first, .name = name.second, .columns = {}, .types = types_};
    for (const auto& column : table.columns) {
        const bool is_key = table.identity_full || std::ranges::find(table.identity, column.name) != table.identity.end();
        described.columns.push_back({column.name, column.type, is_key});
    }
    describe(relation, described);
}

void Sources::describe(std::uint32_t oid, const connector::Relation& relation) {
    Source source{.name = {relation.schema, relation.name}, .id = table_id({relation.schema, relation.name}), .feedings = {}, .key = {},
                  .key_types = {}};
    const auto table = tables_.find(source.name);
    const auto key = table == tables_.end() ? std::vector<std::string>{} : table->second.key;
    for (const auto& feed : feeds_) {
        if (feed.schema != relation.schema || feed.table != relation.name) continue;
        const bool as_original = feed.payload == Payload::row;
        auto feeding = Feeding::make(feed, !feed.name.empty() ? feed.name : as_original ? message_name_ : relation.name, relation, key);
        if (feeding) source.feedings.push_back(*std::move(feeding));
        else base::log::error("at=feed_unusable table={} channel=\"{}\" reason=\"{}\"", source.id, feed.channel, feeding.error().message);
    }
    for (const auto& name : key) {
        const auto found = std::ranges::find(relation.columns, name, &connector::Relation::Column::name);
        if (found == relation.columns.end()) continue;
        source.key.push_back(static_cast<std::size_t>(found - relation.columns.begin()));
        source.key_types.push_back(found->type);
    }
    sources_.insert_or_assign(oid, std::move(source));
}

Result<const Sources::Source*> Sources::find(std::uint32_t relation) const {
    const auto found = sources_.find(relation);
    if (found == sources_.end()) return fail(ErrorCode::internal_error, "the stream has not described relation {}", relation);
    return &found->second;
}

bool Sources::is_read_already(const Source& source, const Tuple& row, const Tuple* otherwise, const Committed& committed) const {
    const Lsn commit{committed.place.commit_lsn};
    if (commit >= read_until_) return false;
    std::vector<std::string> key;
    for (const auto index : source.key) {
        if (index >= row.size() || (otherwise && index >= otherwise->size())) return false;
        const auto& value = row[index].kind == Kind::text || !otherwise ? row[index] : (*otherwise)[index];
        key.emplace_back(value.value);
    }
    return connector::is_read_already(parts_, source.id, key, source.key_types, commit);
}

template <class Change>
Result<std::vector<Told>> Sources::tell_all(const Source& source, const Change& change, const Committed& committed) {
    std::vector<Told> all;
    for (const auto& feeding : source.feedings) {
        auto told = feeding.tell(change, committed);
        if (told) {
            std::ranges::move(*told, std::back_inserter(all));
            continue;
        }
        if (told.error().code != ErrorCode::invalid_channel_name) return std::unexpected(told.error());
        ++unaddressed_;
        base::log::warn("at=change_unaddressed id={} table={} reason=\"{}\"", to_id(committed.place), source.id, told.error().message);
    }
    return all;
}

Result<std::vector<Told>> Sources::tell(const Insert& change, const Committed& committed) {
    const auto source = find(change.relation);
    if (!source) return std::unexpected(source.error());
    if (is_read_already(**source, change.row, nullptr, committed)) return {};
    return tell_all(**source, change, committed);
}

Result<std::vector<Told>> Sources::tell(const Delete& change, const Committed& committed) {
    const auto source = find(change.relation);
    if (!source) return std::unexpected(source.error());
    if (is_read_already(**source, change.old, nullptr, committed)) return {};
    return tell_all(**source, change, committed);
}

Result<std::vector<Told>> Sources::truncated(std::uint32_t relation, const Committed& committed) {
    const auto source = find(relation);
    if (!source) return std::unexpected(source.error());
    std::vector<Told> all;
    for (const auto& feeding : (*source)->feedings) {
        if (auto told = feeding.truncated(committed)) all.push_back(*std::move(told));
    }
    return all;
}

/// Of a row that got another key, one side may have been read after this and the other before.
Result<std::vector<Told>> Sources::tell(const Update& change, const Committed& committed) {
    const auto source = find(change.relation);
    if (!source) return std::unexpected(source.error());
    const auto* old = change.old ? &*change.old : nullptr;
    const bool is_read = is_read_already(**source, change.row, old, committed);
    const bool was_read = old ? is_read_already(**source, *old, &change.row, committed) : is_read;
    if (is_read && was_read) return {};
    if (is_read) return tell_all(**source, Delete{change.relation, *change.old, change.old_is_key}, committed);
    if (was_read) return tell_all(**source, Insert{change.relation, change.row}, committed);
    return tell_all(**source, change, committed);
}

}  // namespace connector
