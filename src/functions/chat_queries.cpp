#include "functions/chat_queries.hpp"

#include <algorithm>
#include <limits>

#include "base/log.hpp"

namespace functions {
namespace {

// One more than the page tells whether there is a page in front of it.
constexpr postgres::Statement list_statement{"palimpsest_list", R"(
    WITH found AS (SELECT id, msg_id, room, username, client_id, msg_data, coalesce(is_edited, false) AS is_edited,
                          created_at_timestamp, edited_at
                   FROM public.chat_data WHERE room = $1 AND id < $2 ORDER BY id DESC LIMIT $3::int + 1),
         page AS (SELECT * FROM found ORDER BY id DESC LIMIT $3::int)
    SELECT json_build_object('messages', coalesce((SELECT json_agg(page ORDER BY id) FROM page), '[]'),
                             'before', CASE WHEN (SELECT count(*) FROM found) > $3::int THEN (SELECT min(id) FROM page) END))"};

// A text is as old as the replacement of the one before it; the first one as the message.
constexpr postgres::Statement versions_statement{"palimpsest_versions", R"(
    WITH message AS (SELECT msg_id, room, msg_data, created_at_timestamp FROM public.chat_data WHERE msg_id = $1),
         texts AS (SELECT version, msg_data, replaced_at FROM public.chat_data_versions WHERE msg_id = $1
                   UNION ALL
                   SELECT 1 + coalesce((SELECT max(version) FROM public.chat_data_versions WHERE msg_id = $1), 0), msg_data, NULL
                   FROM message),
         dated AS (SELECT version, msg_data,
                          coalesce((extract(epoch FROM lag(replaced_at) OVER (ORDER BY version)) * 1000)::bigint,
                                   (SELECT created_at_timestamp FROM message)) AS timestamp
                   FROM texts)
    SELECT json_build_object('msg_id', msg_id, 'versions', (SELECT json_agg(dated ORDER BY version) FROM dated)), room FROM message)"};

base::Result<std::string> first_text(const postgres::Answer& answer) {
    if (!answer) {  // the server's own words are for the log
        base::log::warn("at=chat_query_failed reason=\"{}\"", answer.error().message);
        const auto code = answer.error().code;
        return base::fail(code, "{}", code == base::ErrorCode::unavailable ? "the database is unavailable" : "the database has an error");
    }
    if (answer->empty()) return base::fail(base::ErrorCode::not_found, "there is no such message");
    return std::string{answer->text(0, 0)};
}

}  // namespace

void ChatQueries::list(const std::string& room, std::optional<std::int64_t> before, std::size_t limit, Done done) {
    pool_.query(list_statement,
                {room, std::to_string(before.value_or(std::numeric_limits<std::int64_t>::max())),
                 std::to_string(std::clamp<std::size_t>(limit, 1, chat_page_max))},
                [done = std::move(done)](postgres::Answer answer) mutable { done(first_text(answer)); });
}

void ChatQueries::versions(const std::string& msg_id, VersionsDone done) {
    pool_.query(versions_statement, {msg_id}, [done = std::move(done)](postgres::Answer answer) mutable {
        auto json = first_text(answer);
        if (!json) return done(std::unexpected(json.error()));
        done(Versions{.room = std::string{answer->text(0, 1)}, .json = *std::move(json)});
    });
}

}  // namespace functions
