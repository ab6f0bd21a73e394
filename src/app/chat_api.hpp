#pragma once

#include "app/chat_readers.hpp"
#include "functions/chat_queries.hpp"
#include "server/routes.hpp"

namespace app {

/// GET /api/messages?room=&before=&limit= and GET /api/messages/{msg_id}/versions, for credentials that ChatReaders lets read the room.
/// Without credentials a browser has those that it would get from GET /auth.
server::Extension chat_api(postgres::Pool& pool, const server::Site& site, const ChatReaders& readers);

}  // namespace app
