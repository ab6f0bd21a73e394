#include "protocol/error_codes.hpp"

namespace protocol {

int http_status(ErrorCode code) {
    switch (code) {
#define X(name, number, status) \
    case ErrorCode::name: return status;
        PALIMPSEST_ERROR_CODES(X)
#undef X
    }
    return 500;
}

}  // namespace protocol
