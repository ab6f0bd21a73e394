#include "connector/type_catalogue.hpp"

namespace connector {
namespace {

using postgres::Params;
using postgres::Statement;
using namespace std::chrono_literals;

constexpr auto answer_timeout = 30s;

/// $1 are oids, as an array. What array_out writes is an array; int2vector and oidvector are written otherwise.
constexpr auto find_types = R"(
    WITH RECURSIVE needed (oid) AS (
        SELECT * FROM (SELECT unnest($1::oid[])
                       UNION SELECT oid FROM pg_type WHERE oid < 10000 AND typoutput = 'pg_catalog.array_out'::regproc) first
        UNION
        SELECT part.oid FROM needed JOIN pg_type t ON t.oid = needed.oid, LATERAL (
            SELECT t.typbasetype WHERE t.typtype = 'd'
            UNION ALL SELECT t.typelem WHERE t.typoutput = 'pg_catalog.array_out'::regproc
            UNION ALL SELECT a.atttypid FROM pg_attribute a
                      WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) part (oid))
    SELECT t.oid,
           CASE WHEN t.typtype = 'd' THEN 'd' WHEN t.typoutput = 'pg_catalog.array_out'::regproc THEN 'a' WHEN t.typtype = 'c' THEN 'c'
                WHEN t.typname = 'hstore' AND EXISTS (
                    SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
                    WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e' AND e.extname = 'hstore') THEN 'h'
                ELSE 't' END,
           CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.typelem END,
           (SELECT e.typdelim FROM pg_type e WHERE e.oid = t.typelem),
           f.names, f.types
    FROM needed JOIN pg_type t ON t.oid = needed.oid
    LEFT JOIN LATERAL (SELECT json_agg(a.attname ORDER BY a.attnum) AS names, json_agg(a.atttypid::text ORDER BY a.attnum) AS types
                       FROM pg_attribute a
                       WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) f ON true)";

std::uint32_t oid_of(std::string_view text) { return postgres::number<std::uint32_t>(text); }

Types::Kind kind_of(std::string_view letter) {
    switch (letter.empty() ? 't' : letter.front()) {
        case 'd': return Types::Kind::domain;
        case 'a': return Types::Kind::array;
        case 'c': return Types::Kind::composite;
        case 'h': return Types::Kind::hstore;
        default: return Types::Kind::text;
    }
}

Types::Type type_of(const postgres::Rows& rows, std::size_t row) {
    Types::Type type{.kind = kind_of(rows.text(row, 1)), .of = oid_of(rows.text(row, 2))};
    if (const auto delimiter = rows.text(row, 3); !delimiter.empty()) type.delimiter = delimiter.front();
    const auto names = postgres::texts(rows.text(row, 4)), types = postgres::texts(rows.text(row, 5));
    for (std::size_t i = 0; i < std::min(names.size(), types.size()); ++i) type.fields.push_back({names[i], oid_of(types[i])});
    return type;
}

}  // namespace

asio::awaitable<Result<TypesPtr>> load_types(SessionPtr session, std::vector<std::uint32_t> oids) {
    const Statement statement{"", find_types};
    Params params{fmt::format("{{{}}}", fmt::join(oids, ","))};
    const auto found = co_await session->query(statement, std::move(params), answer_timeout);
    if (!found) co_return std::unexpected(found.error());
    const auto types = std::make_shared<Types>();
    for (const auto oid : oids) types->add(oid, {});
    for (std::size_t row = 0; row < found->size(); ++row) types->add(oid_of(found->text(row, 0)), type_of(*found, row));
    co_return types;
}

}  // namespace connector
