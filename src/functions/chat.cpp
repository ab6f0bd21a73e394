#include "functions/chat.hpp"

namespace functions {
namespace {

using base::Error;
using postgres::Answer;
using postgres::Params;
using postgres::Statement;

// Each answers with one row: whether it was done, and whose row was there before (NULL: none, or of nobody).
constexpr Statement post_statement{"palimpsest_post", R"(
    WITH before AS (SELECT client_id FROM public.chat_data WHERE msg_id = $1),
         done AS (INSERT INTO public.chat_data (msg_id, room, username, client_id, msg_data, created_at_timestamp)
                  VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (msg_id) DO NOTHING RETURNING 1)
    SELECT EXISTS (SELECT FROM done), EXISTS (SELECT FROM before), (SELECT client_id FROM before))"};
constexpr Statement edit_statement{"palimpsest_edit", R"(
    WITH before AS (SELECT client_id FROM public.chat_data WHERE msg_id = $1),
         made AS (SELECT FROM public.chat_data WHERE msg_id = $1 AND edit_id = $4
                  UNION ALL SELECT FROM public.chat_data_versions WHERE msg_id = $1 AND edit_id = $4),
         done AS (UPDATE public.chat_data SET msg_data = $3, edit_id = $4
                  WHERE msg_id = $1 AND client_id = $2 AND NOT EXISTS (SELECT FROM made) RETURNING 1)
    SELECT EXISTS (SELECT FROM done) OR EXISTS (SELECT FROM made), EXISTS (SELECT FROM before), (SELECT client_id FROM before))"};
constexpr Statement delete_statement{"palimpsest_delete", R"(
    WITH before AS (SELECT client_id FROM public.chat_data WHERE msg_id = $1),
         done AS (DELETE FROM public.chat_data WHERE msg_id = $1 AND client_id = $2 RETURNING 1)
    SELECT EXISTS (SELECT FROM done), EXISTS (SELECT FROM before), (SELECT client_id FROM before))"};

struct Query {
    const Statement& statement;
    Params params;
};

Query query_of(const PostMessage& post) {
    return {post_statement,
            {post.message_id, post.room, post.username, post.author, post.content, std::to_string(post.timestamp_ms)}};
}
Query query_of(const EditMessage& edit) { return {edit_statement, {edit.message_id, edit.author, edit.content, edit.edit_id}}; }
Query query_of(const DeleteMessage& remove) { return {delete_statement, {remove.message_id, remove.author}}; }

/// A table, column or right is not there: somebody has to see to it, and trying again soon is in vain.
bool is_setup_missing(const postgres::SqlError& error) { return error.sqlstate.starts_with("42") || error.sqlstate.starts_with("3F"); }

/// What the author is told when the row was not touched; nothing when that is fine, for it had been before.
std::optional<Error> untouched(const PostMessage& post, bool existed, std::string_view owner) {
    if (!existed || owner == post.author) return std::nullopt;  // written by an earlier delivery, or by one that ran beside this
    return Error{ErrorCode::conflict, "this message id is taken"};
}
std::optional<Error> untouched(const EditMessage&, bool existed, std::string_view) {
    if (existed) return Error{ErrorCode::forbidden, "only its author may edit a message"};
    return Error{ErrorCode::not_found, "there is no such message to edit"};
}
std::optional<Error> untouched(const DeleteMessage&, bool existed, std::string_view) {
    if (existed) return Error{ErrorCode::forbidden, "only its author may delete a message"};
    return std::nullopt;
}

/// The author's own row was there and yet was not touched: somebody changed it between the two halves of the statement. Ask again.
bool was_overtaken(const ChatCommand& command, bool existed, std::string_view owner) {
    const auto* edit = std::get_if<EditMessage>(&command);
    const auto* remove = std::get_if<DeleteMessage>(&command);
    return existed && ((edit && owner == edit->author) || (remove && owner == remove->author));
}

/// An event on its way through: one message at a time, itself kept by the callbacks of its queries.
class Handling : public std::enable_shared_from_this<Handling> {
public:
    Handling(postgres::Pool& pool, Event event, ChatFunction::Done done)
        : pool_(pool), event_(std::move(event)), done_(std::move(done)) {}

    void next() {
        for (; at_ < event_.messages.size(); ++at_) {
            auto command = parse_chat_command(event_.messages[at_]);
            if (!command) refuse(command.error());
            else if (*command) return run(**std::move(command));
        }
        done_(std::move(outcome_));
    }

private:
    void run(ChatCommand command) {
        auto query = std::visit([](const auto& each) { return query_of(each); }, command);
        pool_.query(query.statement, std::move(query.params),
                    [self = shared_from_this(), command = std::move(command)](Answer answer) {
                        if (auto failed = self->judge(command, answer)) {
                            self->done_({.failed = std::move(failed), .in_vain = !answer && is_setup_missing(answer.error())});
                            return;
                        }
                        ++self->at_;
                        self->next();
                    });
    }

    /// The error of an event that has to be tried again.
    std::optional<Error> judge(const ChatCommand& command, const Answer& answer) {
        if (!answer) {
            const auto code = answer.error().code;
            if (code == ErrorCode::conflict) refuse({code, "the database refused this row"});
            else if (code == ErrorCode::invalid_parameter_value)
                refuse({ErrorCode::invalid_message_data, "the database refused these values"});
            else return answer.error();
            return std::nullopt;
        }
        const bool touched = answer->flag(0, 0), existed = answer->flag(0, 1);
        const auto owner = answer->text(0, 2);
        if (touched) return std::nullopt;
        if (was_overtaken(command, existed, owner))
            return Error{ErrorCode::unavailable, "the message was changed at the same time"};
        if (auto error = std::visit([&](const auto& each) { return untouched(each, existed, owner); }, command))
            refuse(*std::move(error));
        return std::nullopt;
    }

    void refuse(Error error) {
        const auto& message = event_.messages[at_];
        outcome_.refused.push_back({message.id, message.name, message.client_id, std::move(error)});
    }

    postgres::Pool& pool_;
    Event event_;
    ChatFunction::Done done_;
    std::size_t at_ = 0;
    Outcome outcome_;
};

}  // namespace

void ChatFunction::handle(Event event, Done done) { std::make_shared<Handling>(pool_, std::move(event), std::move(done))->next(); }

}  // namespace functions
