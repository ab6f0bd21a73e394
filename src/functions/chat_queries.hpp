#pragma once

#include <functional>
#include <optional>
#include <string>

#include "postgres/pool.hpp"

namespace functions {

inline constexpr std::size_t chat_page_default = 50;
inline constexpr std::size_t chat_page_max = 200;

/// Reads the chat as JSON. Shard-owned, with its pool, which outlives it. `done` is called later, on the shard.
/// Errors: unavailable; not_found of a message that is not there.
class ChatQueries {
public:
    using Done = std::move_only_function<void(base::Result<std::string>)>;

    explicit ChatQueries(postgres::Pool& pool) : pool_(pool) {}

    /// The newest messages of a room whose id is below `before`, at most chat_page_max of them, oldest first:
    /// {"messages":[{id,msg_id,room,username,client_id,msg_data,is_edited,created_at_timestamp,edited_at}…],"before":…}
    /// with what to give as `before` for the page in front of this one, or null.
    void list(const std::string& room, std::optional<std::int64_t> before, std::size_t limit, Done done);

    struct Versions {
        std::string room;  // of the message
        std::string json;  // what it said and says, oldest first: {"msg_id":…,"versions":[{version,msg_data,timestamp}…]}, times in ms
    };
    using VersionsDone = std::move_only_function<void(base::Result<Versions>)>;
    void versions(const std::string& msg_id, VersionsDone done);

private:
    postgres::Pool& pool_;
};

}  // namespace functions
