#include "connector/snapshot_publisher.hpp"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/backoff.hpp"
#include "base/log.hpp"
#include "postgres/replication.hpp"

namespace connector {

using namespace std::chrono_literals;
using base::ErrorCode;
using postgres::Rows;
namespace pgoutput = postgres::pgoutput;

namespace {

constexpr auto progress_interval = 10s;
constexpr std::uint32_t relation = 0;  // no relation of the stream's has this number

std::vector<std::size_t> key_columns(const Table& table) {
    std::vector<std::size_t> key;
    for (const auto& column : table.key) {
        const auto found = std::ranges::find(table.columns, column, &Table::Column::name);
        key.push_back(static_cast<std::size_t>(found - table.columns.begin()));
    }
    return key;
}

}  // namespace

void SnapshotPublisher::stop() {
    stopped_ = true;
    answer_timer_.cancel();
    if (reading_) reading_->close();
}

asio::awaitable<Result<void>> SnapshotPublisher::run(Tables tables, std::string exported) {
    const auto self = shared_from_this();
    auto& [config, events, sources, status, state] = shared_;
    const auto began = std::chrono::steady_clock::now();
    base::log::info("at=snapshot_begins slot={} tables={} rows_before={}", config.slot, tables.size(), state.rows);
    if (state.chunk) {
        if (auto published = co_await publish_chunk(); !published) co_return published;
    }
    auto exporter = std::make_shared<postgres::ReplicationStream>(io_, postgres::ReplicationStream::Events{});
    if (exported.empty()) {
        if (auto connected = co_await exporter->connect(config.conninfo); !connected) co_return std::unexpected(connected.error());
        auto created = co_await exporter->create_slot(config.slot.substr(0, 48) + "_snapshot", postgres::SlotLife::temporary, true);
        if (!created) co_return std::unexpected(created.error());
        auto parts = co_await resume_snapshot(session_, config.slot, state.at, state.parts, created->start);
        if (!parts) co_return std::unexpected(parts.error());
        state.parts = *std::move(parts);
        exported = created->snapshot;
    }
    if (stopped_) co_return base::fail(ErrorCode::unavailable, "stopped");
    reading_ = postgres::Session::make(io_);
    reader_.emplace(reading_);
    if (auto opened = co_await reader_->open(config.conninfo, exported); !opened) co_return opened;
    exporter.reset();

    std::vector<std::pair<std::string, TableName>> order;
    for (const auto& [name, table] : tables) order.emplace_back(table_id(name), name);
    std::ranges::sort(order);
    for (const auto& [id, name] : order) {
        if (id < state.at.table) continue;
        if (auto published = co_await publish_table(id, name, tables.at(name)); !published) co_return published;
    }
    state.done = true;
    if (auto stored = co_await store(); !stored) co_return stored;
    reading_->close();
    const auto took = std::chrono::steady_clock::now() - began;
    base::log::info("at=snapshot_done slot={} rows={} seconds={}", config.slot, state.rows,
                    std::chrono::duration_cast<std::chrono::seconds>(took).count());
    co_return Result<void>{};
}

asio::awaitable<Result<void>> SnapshotPublisher::publish_table(std::string id, TableName name, Table table) {
    auto& [config, events, sources, status, state] = shared_;
    sources.describe(relation, name);
    const auto of_table = [&](const Feed& each) { return each.schema == name.first && each.table == name.second; };
    const auto feed = std::ranges::find_if(config.feeds, of_table);
    if (auto begun = co_await reader_->begin_table(snapshot_sql(name, table, state.at, feed->where)); !begun) co_return begun;
    const auto key = key_columns(table);
    auto progress_due = std::chrono::steady_clock::now() + progress_interval;
    for (;;) {
        const auto rows = co_await reader_->next(table.columns.size());
        if (!rows) co_return std::unexpected(rows.error());
        if (rows->empty()) co_return Result<void>{};
        for (std::size_t row = 0; row < rows->size();) {
            row = gather(*rows, row, id, table, key);
            if (auto stored = co_await store(); !stored) co_return stored;
            if (auto published = co_await publish_chunk(); !published) co_return published;
        }
        if (const auto now = std::chrono::steady_clock::now(); now >= progress_due) {
            progress_due = now + progress_interval;
            base::log::info("at=snapshot slot={} table={} rows={}", config.slot, id, state.rows);
        }
    }
}

/// Makes a chunk of the rows from `first` on, as many as may be in flight. Gives the first that is not in it.
std::size_t SnapshotPublisher::gather(const Rows& rows, std::size_t first, const std::string& id, const Table& table,
                                      const std::vector<std::size_t>& key) {
    auto& [config, events, sources, status, state] = shared_;
    auto& chunk = state.chunk.emplace();
    std::size_t row = first;
    for (std::size_t bytes = 0; row < rows.size() && bytes < base::limits::change_bytes_in_flight_max; ++row) {
        pgoutput::Insert insert{.relation = relation, .row = {}};
        for (std::size_t column = 0; column < table.columns.size(); ++column) {
            const auto value = rows.value(row, column);
            insert.row.push_back({value ? pgoutput::Column::Kind::text : pgoutput::Column::Kind::null, value.value_or("")});
        }
        const broker::WalPlace place{state.start.value, static_cast<std::uint32_t>(++state.rows)};
        const Committed as_if{.place = place, .time_us = base::to_ms(base::now()) * 1'000};
        auto told = sources.tell(insert, as_if);
        if (!told) base::log::error("at=change_refused id={} reason=\"{}\"", to_id(place), told.error().message);
        for (auto& each : told.value_or(std::vector<Told>{})) {
            bytes += each.bytes();
            chunk.drafts.push_back(draft_of(std::move(each), as_if));
        }
    }
    chunk.end = {.table = id, .key = std::vector<std::string>{}};
    for (const auto column : key) chunk.end.key->emplace_back(rows.text(row - 1, column));
    return row;
}

asio::awaitable<Result<void>> SnapshotPublisher::publish_chunk() {
    for (unsigned attempt = 0; !stopped_ && !co_await hand_over(); ++attempt) {
        answer_timer_.expires_after(base::backoff(attempt, 100ms, 5s));
        co_await answer_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (!stopped_ && shared_.events.on_restart) shared_.events.on_restart();
    }
    if (stopped_) co_return base::fail(ErrorCode::unavailable, "stopped");
    auto& state = shared_.state;
    for (const auto& draft : state.chunk->drafts) note(tails_, draft.message.channel, *draft.place);
    state.at = std::move(state.chunk->end);
    state.chunk.reset();
    co_return Result<void>{};
}

/// True once all of the chunk is acknowledged; false when it is to be handed in again.
asio::awaitable<bool> SnapshotPublisher::hand_over() {
    const auto attempt = ++attempt_;
    in_flight_ = shared_.state.chunk->drafts.size();
    failed_ = false;
    for (const auto& draft : shared_.state.chunk->drafts) {
        if (failed_ || stopped_) break;
        shared_.events.sink(shared_.config.address_of(draft.message.channel), draft,
                            [weak = weak_from_this(), attempt, place = *draft.place](const Result<void>& result) {
                                if (const auto self = weak.lock()) self->on_published(attempt, place, result);
                            });
    }
    if (!stopped_ && shared_.events.on_commit) shared_.events.on_commit();
    while (in_flight_ > 0 && !failed_ && !stopped_) {
        answer_timer_.expires_after(1s);
        co_await answer_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return in_flight_ == 0 && !stopped_;
}

void SnapshotPublisher::on_published(std::uint64_t attempt, broker::WalPlace place, const Result<void>& result) {
    if (stopped_ || failed_ || attempt != attempt_) return;  // once one has failed, all are handed in again, after a pause
    if (!result && is_transient(result.error().code)) {
        failed_ = true;
    } else {
        --in_flight_;
        shared_.status.count(place, result);
    }
    if (failed_ || in_flight_ == 0) answer_timer_.cancel();
}

asio::awaitable<Result<void>> SnapshotPublisher::store() {
    auto tails = std::exchange(tails_, Tails());
    co_return co_await store_snapshot(session_, shared_.config.slot, shared_.state, std::move(tails));
}

}  // namespace connector
