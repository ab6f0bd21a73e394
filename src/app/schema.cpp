#include "app/schema.hpp"

#include <stdexcept>

#include "app/signals.hpp"
#include "base/backoff.hpp"
#include "base/log.hpp"

namespace app {

using namespace std::chrono_literals;

bool migrate_patiently(const std::string& conninfo, postgres::Schema schema) {
    std::string told;
    for (unsigned attempt = 0;; ++attempt) {
        const auto migrated = postgres::migrate(conninfo, schema);
        if (migrated) return true;
        const auto& error = migrated.error();
        if (error.code == base::ErrorCode::conflict) throw std::runtime_error(error.message);
        if (error.message != told) base::log::warn("at=migrate_failed code={} error=\"{}\"", static_cast<int>(error.code), error.message);
        told = error.message;
        if (stop_signal_within(base::backoff(attempt, 200ms, 5s))) return false;
    }
}

}  // namespace app
