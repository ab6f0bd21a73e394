#pragma once

#include <functional>
#include <memory>

#include "functions/chat_command.hpp"
#include "functions/event.hpp"
#include "functions/outcome.hpp"
#include "postgres/pool.hpp"

namespace functions {

/// Writes chat messages to chat_data: what the published chatMsg, editedMsg and deletedMsg ask for, by whom they were published.
/// Every write can be repeated: a message's id is its row's key, an edit is remembered by its message's id, a delete of what is gone
/// is done. Shard-owned, with its pool, which outlives it.
class ChatFunction {
public:
    using Done = std::move_only_function<void(Outcome)>;

    explicit ChatFunction(postgres::Pool& pool) : pool_(pool) {}

    /// One message after the other, in order; `done` may be called before this returns. Refused with, besides what
    /// parse_chat_command says: forbidden (another's message), not_found (an edit of what is not there), conflict (an id that is
    /// another's already, or a constraint of the table's), invalid_message_data (values the database does not take).
    void handle(Event event, Done done);

private:
    postgres::Pool& pool_;
};

}  // namespace functions
