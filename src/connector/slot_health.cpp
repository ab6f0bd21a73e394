#include "connector/slot_health.hpp"

namespace connector {

using postgres::number;
using postgres::Params;
using postgres::Statement;
using namespace std::chrono_literals;

namespace {

constexpr auto answer_timeout = 30s;

}  // namespace

asio::awaitable<Result<SlotHealth>> ask_slot_health(SessionPtr session, std::string slot) {
    const Statement statement{"palimpsest_slot_health", R"(
        SELECT pg_current_wal_flush_lsn(), s.wal_status, s.safe_wal_size,
               (SELECT CASE WHEN setting = '-1' THEN -1 ELSE pg_size_bytes(setting || unit) END
                FROM pg_settings WHERE name = 'max_slot_wal_keep_size')
        FROM (SELECT 1) one LEFT JOIN pg_replication_slots s ON s.slot_name = $1)"};
    Params params{slot};
    auto found = co_await session->query(statement, std::move(params), answer_timeout);
    if (!found) co_return std::unexpected(found.error());
    SlotHealth health{.end_of_wal = postgres::parse_lsn(found->text(0, 0)).value_or(Lsn{}), .wal_status = std::string{found->text(0, 1)},
                      .safe_wal_bytes = {}, .keep_wal_bytes = number(found->text(0, 3))};
    if (const auto safe = found->value(0, 2)) health.safe_wal_bytes = number(*safe);
    co_return health;
}

asio::awaitable<Result<std::optional<std::string>>> find_reader(SessionPtr session, std::string slot) {
    const Statement statement{"palimpsest_slot_reader", "SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1 AND active"};
    Params params{slot};
    auto found = co_await session->query(statement, std::move(params), answer_timeout);
    if (!found) co_return std::unexpected(found.error());
    if (found->empty()) co_return std::optional<std::string>{};
    co_return std::optional{std::string{found->text(0, 0)}};
}

}  // namespace connector
