#include "archive/postgres_archive.hpp"

#include <limits>

#include "base/backoff.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/resource_limits.hpp"

namespace archive {

using base::ErrorCode;
using base::fail;
using protocol::Action;
using namespace std::chrono_literals;

namespace {

// What was written before and is written again, after a lost answer, is as it was or newer.
constexpr postgres::Statement keep_statement{"palimpsest_archive_keep", R"(
    WITH events AS (INSERT INTO palimpsest.message_event
                    SELECT * FROM json_to_recordset($2::json) AS row(address text, message text, kind smallint, serial text, body json)
                    ON CONFLICT DO NOTHING)
    INSERT INTO palimpsest.message
    SELECT * FROM json_to_recordset($1::json) AS row(address text, kind smallint, serial text, sent_at bigint, body json)
    ON CONFLICT (address, kind, serial) DO UPDATE SET body = excluded.body)"};

// No more rows than fill page_bytes_max (4 MiB), of which page_of() takes the first part: there is one more if there is a next page.
constexpr postgres::Statement backwards_statement{"palimpsest_archive_backwards", R"(
    WITH found AS (SELECT serial, body, octet_length(body::text) AS bytes FROM palimpsest.message
                   WHERE address = $1 AND kind = $2::smallint AND sent_at BETWEEN $3::bigint AND $4::bigint
                     AND serial > $5 AND ($6 = '' OR serial < $6)
                   ORDER BY serial DESC LIMIT $7::int + 1),
         page AS (SELECT serial, body, sum(bytes) OVER (ORDER BY serial DESC) - bytes AS before FROM found)
    SELECT serial, body FROM page WHERE before < 4194304 ORDER BY serial DESC)"};
constexpr postgres::Statement forwards_statement{"palimpsest_archive_forwards", R"(
    WITH found AS (SELECT serial, body, octet_length(body::text) AS bytes FROM palimpsest.message
                   WHERE address = $1 AND kind = $2::smallint AND sent_at BETWEEN $3::bigint AND $4::bigint
                     AND serial > $5 AND ($6 = '' OR serial < $6)
                   ORDER BY serial LIMIT $7::int + 1),
         page AS (SELECT serial, body, sum(bytes) OVER (ORDER BY serial) - bytes AS before FROM found)
    SELECT serial, body FROM page WHERE before < 4194304 ORDER BY serial)"};
static_assert(base::limits::page_bytes_max == 4'194'304);

constexpr postgres::Statement record_statement{"palimpsest_archive_record", R"(
    SELECT 0 AS kind, serial, body FROM palimpsest.message WHERE address = $1 AND kind = 15 AND serial = $2
    UNION ALL
    SELECT kind, serial, body FROM palimpsest.message_event WHERE address = $1 AND message = $2
    ORDER BY kind, serial)"};

constexpr postgres::Statement find_statement{"palimpsest_archive_find", R"(
    SELECT coalesce(body->'version'->>'serial', serial)
    FROM (SELECT serial, body FROM palimpsest.message WHERE address = $1 AND kind = 15 AND body->>'id' = $2
          UNION ALL
          SELECT serial, body FROM palimpsest.message_event WHERE address = $1 AND body->>'id' = $2) AS said
    WHERE coalesce(CASE WHEN body->'version' IS NULL THEN body ELSE body->'version' END->>'clientId', '') = $3
    LIMIT 1)"};

std::string ms_or(const std::optional<base::Time>& time, std::int64_t otherwise) {
    return std::to_string(time ? base::to_ms(*time) : otherwise);
}

Result<broker::HistoryPage> page_of(const broker::HistoryQuery& query, const postgres::Answer& answer) {
    if (!answer) return std::unexpected(answer.error());
    broker::HistoryPage page;
    for (std::size_t row = 0; row < std::min(answer->size(), query.limit); ++row) {
        // A body is JSON: it takes no more in an answer, in either format.
        page.bytes += answer->text(row, 1).size() * 9 / 4;
        if (row > 0 && page.bytes > base::limits::page_bytes_max) {
            page.next = broker::parse_cursor(answer->text(row - 1, 0));
            break;
        }
        if (query.kind == Action::presence) {
            auto member = presence_of(answer->text(row, 1));
            if (!member) return std::unexpected(member.error());
            page.presence.push_back(*std::move(member));
        } else {
            auto message = message_of(answer->text(row, 1));
            if (!message) return std::unexpected(message.error());
            page.messages.push_back(*std::move(message));
        }
        if (row + 1 == query.limit && answer->size() > query.limit) page.next = broker::parse_cursor(answer->text(row, 0));
    }
    return page;
}

Result<broker::Record> record_of(const postgres::Answer& answer) {
    if (!answer) return std::unexpected(answer.error());
    if (answer->empty()) return fail(ErrorCode::not_found, "There is no such message");
    auto latest = message_of(answer->text(0, 2));
    if (!latest) return std::unexpected(latest.error());
    broker::Record record{.latest = *std::move(latest), .versions = {}, .annotations = {}};
    for (std::size_t row = 1; row < answer->size(); ++row) {
        if (answer->text(row, 0) == "21") {
            auto annotation = annotation_of(answer->text(row, 2));
            if (!annotation) return std::unexpected(annotation.error());
            record.annotations.push_back(*std::move(annotation));
        } else {
            auto version = message_of(answer->text(row, 2));
            if (!version) return std::unexpected(version.error());
            record.versions.push_back(*std::move(version));
        }
    }
    if (record.versions.empty()) record.versions.push_back(record.latest);
    return record;
}

}  // namespace

Result<void> PostgresArchive::admit() const {
    const bool room = gathered_done_.size() + writing_done_.size() < base::limits::archive_queue_max &&
                      gathered_bytes_ + writing_bytes_ < base::limits::archive_queue_bytes_max;
    if (room) return {};
    return fail(ErrorCode::unavailable, "Limit of messages that wait for the database reached ({}, or {} bytes); try again shortly",
                base::limits::archive_queue_max, base::limits::archive_queue_bytes_max);
}

void PostgresArchive::keep(const std::string& address, const broker::Published& published, Kept done) {
    gathered_.add(address, published);
    for (const auto* entry : {&published.entry, &published.summary}) gathered_bytes_ += *entry ? (*entry)->bytes : 0;
    gathered_done_.push_back(std::move(done));
    go_on();
}

void PostgresArchive::go_on() {
    if (busy_) return;
    if (gathered_done_.empty()) {
        for (auto& read : std::exchange(reads_, {})) read();
        return;
    }
    busy_ = true;
    writing_ = std::exchange(gathered_, {});
    writing_done_ = std::exchange(gathered_done_, {});
    writing_bytes_ = std::exchange(gathered_bytes_, 0);
    write();
}

void PostgresArchive::write() {
    pool_.query(keep_statement, {writing_.messages_json(), writing_.events_json()},
                [this](const postgres::Answer& answer) { written(answer); });
}

void PostgresArchive::written(const postgres::Answer& answer) {
    if (!answer) {
        // Whatever the reason, nobody is told that it is kept; an operator is told once, and it is tried until it can be.
        if (failures_ == 0) base::log::warn("at=archive_waits error=\"{}\" messages={}", answer.error().message, writing_done_.size());
        timer_.expires_after(base::backoff(failures_++, 100ms, 5s));
        return timer_.async_wait([this](const boost::system::error_code& error) {
            if (!error) write();
        });
    }
    if (failures_ > 0) base::log::info("at=archive_goes_on");
    failures_ = 0;
    writing_bytes_ = 0;
    busy_ = false;
    for (auto& done : std::exchange(writing_done_, {})) done();
    go_on();
}

void PostgresArchive::read(Read read) {
    if (!busy_ && gathered_done_.empty()) return read();
    reads_.push_back(std::move(read));
}

void PostgresArchive::history(const std::string& address, broker::HistoryQuery query, broker::HistoryDone done) {
    if (reads_.size() >= base::limits::archive_queue_max) return done(fail(ErrorCode::unavailable, "Too many wait for the database"));
    read([this, address, query, done = std::move(done)]() mutable {
        auto range = range_of(query);
        postgres::Params params{address,
                                std::to_string(std::to_underlying(query.kind)),
                                ms_or(query.start, 0),
                                ms_or(query.end, std::numeric_limits<std::int64_t>::max()),
                                std::move(range.above),
                                std::move(range.below),
                                std::to_string(query.limit)};
        pool_.query(query.direction == broker::Direction::forwards ? forwards_statement : backwards_statement, std::move(params),
                    [query, done = std::move(done)](const postgres::Answer& answer) mutable { done(page_of(query, answer)); });
    });
}

void PostgresArchive::look_up(const std::string& address, std::string serial, broker::RecordDone done) {
    if (reads_.size() >= base::limits::archive_queue_max) return done(fail(ErrorCode::unavailable, "Too many wait for the database"));
    read([this, address, serial = std::move(serial), done = std::move(done)]() mutable {
        pool_.query(record_statement, {address, std::move(serial)},
                    [done = std::move(done)](const postgres::Answer& answer) mutable { done(record_of(answer)); });
    });
}

void PostgresArchive::find(const std::string& address, broker::Said said, FindDone done) {
    if (reads_.size() >= base::limits::archive_queue_max) return done(fail(ErrorCode::unavailable, "Too many wait for the database"));
    read([this, address, id = std::string{said.id}, client_id = std::string{said.client_id}, done = std::move(done)]() mutable {
        pool_.query(find_statement, {address, std::move(id), std::move(client_id)},
                    [done = std::move(done)](const postgres::Answer& answer) mutable {
                        if (!answer) return done(std::unexpected(answer.error()));
                        done(answer->empty() ? std::nullopt : std::optional<std::string>{answer->text(0, 0)});
                    });
    });
}

}  // namespace archive
