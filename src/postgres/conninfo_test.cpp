#include "postgres/conninfo.hpp"

#include <libpq-fe.h>

#include <map>
#include <memory>

#include <gtest/gtest.h>

namespace postgres {
namespace {

using Values = std::map<std::string, std::string>;

/// What libpq makes of it.
Values read_by_libpq(const std::string& text) {
    char* why = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{PQconninfoParse(text.c_str(), &why),
                                                                               &PQconninfoFree};
    EXPECT_TRUE(options) << text << ": " << why;
    PQfreemem(why);
    Values values;
    for (const auto* option = options.get(); option && option->keyword; ++option) {
        if (option->val) values[option->keyword] = option->val;
    }
    return values;
}
Values ours(std::string_view text) {
    const auto parsed = parse_conninfo(text);
    EXPECT_TRUE(parsed) << text << ": " << parsed.error().message;
    return parsed ? read_by_libpq(parsed->text) : Values{};
}
std::string refusal(std::string_view text) {
    const auto parsed = parse_conninfo(text);
    return parsed ? "taken as " + parsed->text : parsed.error().message;
}

}  // namespace

TEST(Conninfo, means_what_it_means_to_libpq) {
    for (const auto* text : {"postgres://",
                             "postgresql://h",
                             "postgres://h:5433",
                             "postgres://u@h/d",
                             "postgres://u:p@h:5432/d",
                             "postgres://u:p%40%2f%25%20x@h/d",
                             "postgres://:p@h",
                             "postgres://[::1]:5433/d",
                             "postgres://u@[fe80::1]",
                             "postgres://a:1,b:2,c/d?target_session_attrs=read-write",
                             "postgres:///d?host=/run/x&port=5433",
                             "postgres://u:p%3Fq@h?sslmode=verify-full&connect_timeout=5",
                             "postgres://%2Frun%2Fpg/d",
                             "postgres://u:a:b[c&d e#f'g\\@h/d",
                             "postgres://u:a?b@h/d",
                             "postgres://h/d?application_name=a%20b&sslrootcert=/etc/ca.pem",
                             "host=h",
                             "host=h port=5433 user=u password=p dbname=d",
                             "host = 'h' password='a \\'b\\' \\\\c' user=x\\ y",
                             "user='' host=h",
                             "  host=h\tsslmode=disable\n",
                             "options='-c a=b' dbname=x"}) {
        EXPECT_EQ(ours(text), read_by_libpq(text)) << text;
    }
    EXPECT_EQ(ours("mydb"), (Values{{"dbname", "mydb"}}));
    EXPECT_EQ(ours(" postgres://h/d \n"), (Values{{"host", "h"}, {"dbname", "d"}})) << "as files and shells leave it";
}

TEST(Conninfo, that_is_malformed_is_refused_and_no_part_of_the_password_said) {
    const std::string first = "Hunter", second = "sEcond";
    for (const std::string between : {"@",  "/",  "#",   "?",   "%",    "%z",  "%4", ":", "[",  "]",  "&",  "=",  " ",
                                      "@@", "//", "?a=", "&b=", "/?c=", "@x:", ",",  "'", "\"", "\\", "\t", "%00"}) {
        const auto password = first + between + second;
        for (const auto& text :
             {"postgres://u:" + password + "@h.invalid:5432/d?sslmode=require", "postgresql://" + password + "@h/d",
              "postgres://u:" + password + "/d", "postgres://u:5" + password + "@h/d", "postgres://u:5/" + password + "@h/d",
              "postgres://u:5/d?" + password + "@h", "mysql://u:" + password + "@h/d", "'postgres://u:" + password + "@h/d'",
              "host=h password=" + password + " user=u", "password='" + password, "postgres:/u:" + password + "@h",
              "host=h dbname=postgres://u:" + password + "@h", "u:" + password + "@h", "postgres://h/d?password=" + password}) {
            if (between == "@" && text == "postgres://u:" + password + "/d") continue;  // a password and a host, as it should be
            const auto parsed = parse_conninfo(text);
            if (!parsed) {
                const auto& message = parsed.error().message;
                EXPECT_TRUE(message.starts_with("malformed connection string: ")) << message;
                for (const auto& part : {first, second}) EXPECT_FALSE(message.contains(part)) << text << ": " << message;
                continue;
            }
            // What is taken has the password as the password, and nowhere that libpq or the server would say it.
            for (const auto& [name, value] : read_by_libpq(parsed->text)) {
                if (name == "password" || name == "user") continue;
                EXPECT_FALSE(value.contains(second) || (name != "host" && value.contains(first)))
                    << text << ": " << name << '=' << value;
            }
            for (const auto& each : parsed->ignored) EXPECT_FALSE(each.contains(first) || each.contains(second)) << text;
        }
    }
}

TEST(Conninfo, says_where_it_is_malformed) {
    EXPECT_TRUE(refusal("postgres://u:a@b@h").contains("more than one '@'"));
    EXPECT_TRUE(refusal("postgres://u:a/b@h").contains("a '/' before the '@'"));
    EXPECT_TRUE(refusal("postgres://u:a%b@h").contains("in the password, a '%'"));
    EXPECT_TRUE(refusal("postgres://u%x:a@h").contains("in the user name, a '%'"));
    EXPECT_TRUE(refusal("postgres://h:x/d").contains("the port"));
    EXPECT_TRUE(refusal("postgres://h:0/d").contains("the port"));
    EXPECT_TRUE(refusal("postgres://[::1/d").contains("the host's '['"));
    EXPECT_TRUE(refusal("postgres://h/d?sslmode=require&x").contains("parameter 2 is not name=value"));
    EXPECT_TRUE(refusal("host=h user").contains("parameter 2 is not keyword=value"));
    EXPECT_TRUE(refusal("host=h password='x").contains("the quote of parameter 2 is not closed"));
    EXPECT_TRUE(refusal("jdbc:postgresql://h/d").contains("neither postgres:// nor postgresql://"));
    EXPECT_TRUE(refusal("Host=h;Database=d").contains("parameter 1 has a name"));
}

TEST(Conninfo, that_libpq_would_refuse_at_every_attempt_is_refused_at_once) {
    EXPECT_TRUE(
        refusal("postgres://h/d?sslmode=on").contains("sslmode is one of disable, allow, prefer, require, verify-ca, verify-full"));
    EXPECT_TRUE(refusal("postgres://h/d?channel_binding=maybe").contains("channel_binding is one of"));
    EXPECT_TRUE(refusal("host=h target_session_attrs=primry").contains("target_session_attrs is one of"));
    EXPECT_TRUE(refusal("postgres://h/d?connect_timeout=5s").contains("connect_timeout is a whole number"));
    EXPECT_TRUE(refusal("postgres://h/d?ssl=perhaps").contains("ssl, is true, false"));
    EXPECT_TRUE(refusal("postgres://h/d?nonsense=1").contains("parameter 1 has a name"));
}

TEST(Conninfo, takes_what_other_tools_put_into_it) {
    const auto of = [](std::string_view query) { return ours("postgres://h/d?" + std::string{query}); };
    const Values plain{{"host", "h"}, {"dbname", "d"}};
    const auto with_mode = [&](std::string mode) {
        auto values = plain;
        values["sslmode"] = std::move(mode);
        return values;
    };
    for (const auto* query :
         {"schema=public", "pgbouncer=true", "connection_limit=1", "pool_timeout=0", "uselibpqcompat=true", "supa=base-pooler.x",
          "statement_cache_size=0", "pool_max_conns=4", "prepareThreshold=0", "currentSchema=a", "conn_max_age=60", "max=5",
          "prepared_statements=false", "binary_parameters=yes", "search_path=a,b", "client_encoding=LATIN1", "replication=true"}) {
        EXPECT_EQ(of(query), plain) << query;
        const auto ignored = parse_conninfo("postgres://h/d?" + std::string{query})->ignored;
        ASSERT_EQ(ignored.size(), 1u) << query;
        EXPECT_TRUE(ignored[0].starts_with(std::string_view{query}.substr(0, std::string_view{query}.find('=')))) << ignored[0];
    }
    EXPECT_EQ(of("sslmode=no-verify"), with_mode("require"));
    EXPECT_EQ(of("uselibpqcompat=true&sslmode=require"), with_mode("require"));
    EXPECT_EQ(of("ssl=false"), with_mode("disable"));
    EXPECT_EQ(of("ssl=true"), with_mode("require"));
    EXPECT_EQ(of("ssl=verify-full"), with_mode("verify-full"));
    EXPECT_EQ(of("ssl=true&sslmode=verify-full"), with_mode("verify-full")) << "it says more";
    EXPECT_EQ(ours("host=h dbname=d ssl=false schema=x"), with_mode("disable"));
}

}  // namespace postgres
