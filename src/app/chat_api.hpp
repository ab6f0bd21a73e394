#pragma once

#include "functions/chat_queries.hpp"
#include "server/routes.hpp"

namespace app {

/// GET /api/messages?room=&before=&limit= and GET /api/messages/{msg_id}/versions. Open to all when browsers get tokens without
/// asking (GET /auth), for then they could read it all the same; otherwise for credentials of this app that may read `channel`'s history.
server::Extension chat_api(postgres::Pool& pool, const server::Site& site, std::string app_id, std::string channel);

}  // namespace app
