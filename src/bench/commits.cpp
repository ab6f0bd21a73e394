#include "bench/commits.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace bench {
namespace {

constexpr std::string_view here = "{}";
constexpr std::string_view slot = "palimpsest_bench";

std::vector<std::string> tap_command(const Database& database) {
    return {"pg_recvlogical",
            "-d",
            database.conninfo,
            "--slot",
            std::string{slot},
            "--create-slot",
            "--if-not-exists",
            "--start",
            "-P",
            "pgoutput",
            "-o",
            "proto_version=1",
            "-o",
            "publication_names=" + database.tap,
            "-f",
            "-"};
}

}  // namespace

Commits::Commits(Database database, std::size_t payload_bytes)
    : database_(std::move(database)),
      psql_({"psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-d", database_.conninfo}),
      scanner_(payload_bytes) {
    if (database_.sql.find(here) == std::string::npos) throw std::runtime_error("--sql has no {} for the payload");
    if (!database_.tap.empty()) tap_ = std::make_unique<Child>(tap_command(database_));
}

/// A slot that nobody reads would keep the database's WAL for ever.
Commits::~Commits() {
    if (!tap_) return;
    tap_.reset();
    psql_.write(fmt::format(
        "DO $$ BEGIN FOR i IN 1..50 LOOP EXIT WHEN NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '{0}' "
        "AND active); PERFORM pg_sleep(0.1); END LOOP; END $$; SELECT pg_drop_replication_slot('{0}');\n",
        slot));
    psql_.finish();
}

void Commits::commit(const Stamp& stamp, std::string_view payload) {
    if (changes_.size() <= stamp.number) changes_.resize(stamp.number + 1);
    changes_[stamp.number].due = stamp.due_ns;
    auto statement = database_.sql;
    statement.replace(statement.find(here), here.size(), payload);
    psql_.write(statement + ";\n");
}

/// psql says one line of each statement.
void Commits::on_answers(std::int64_t now) {
    if (!psql_.read(wrote_)) throw std::runtime_error("psql has ended");
    for (auto lines = std::ranges::count(std::exchange(wrote_, {}), '\n'); lines > 0 && answered_ < changes_.size(); --lines) {
        changes_[answered_++].answered = now;
    }
}

void Commits::on_wal(std::int64_t now) {
    if (!tap_->read(wal_)) throw std::runtime_error("pg_recvlogical has ended");
    scanner_.scan(wal_, [&](const Stamp& stamp) {
        if (stamp.number < changes_.size()) changes_[stamp.number].decoded = now;
    });
    wal_.erase(0, wal_.size() - std::min(wal_.size(), stamp_bytes - 1));  // the start of one may be there
}

void Commits::on_delivery(const Stamp& stamp, std::int64_t now) {
    if (stamp.number >= changes_.size()) return;
    auto& change = changes_[stamp.number];
    if (change.first == 0) change.first = now;
    change.delivered.push_back(now);
}

Stages Commits::stages(std::int64_t from) const {
    Stages stages;
    for (const auto& change : changes_) {
        if (change.due < from || change.answered == 0) continue;
        stages.commit.record(change.answered - change.due);
        if (change.decoded > 0) stages.decode.record(change.decoded - change.answered);
        if (change.first > 0) stages.first.record(change.first - change.answered);
        for (const auto at : change.delivered) {
            stages.fan_out.record(at - change.first);
            stages.delivery.record(at - change.answered);
        }
    }
    return stages;
}

}  // namespace bench
