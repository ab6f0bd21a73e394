#pragma once

#include "connector/setup.hpp"
#include "connector/types.hpp"

namespace connector {

/// What the catalogue says of these types and of all that they are made of, and of the arrays that come with Postgres. A type that is
/// not there (any more) is a text.
asio::awaitable<Result<TypesPtr>> load_types(SessionPtr session, std::vector<std::uint32_t> oids);

}  // namespace connector
