#include "auth/token.hpp"
#include "realtime/world.test.hpp"

/// What becomes of connections whose tokens are revoked (RSA17).
namespace realtime {
namespace {

using namespace realtime::test;
using namespace std::chrono_literals;

class RevocationTest : public testing::TestWithParam<std::size_t> {
protected:
    RevocationTest() {
        auto key = auth::parse_key("revocable.key:secret").value();
        key.revocable_tokens = true;
        auth::App app{.id = "revocable"};
        EXPECT_TRUE(app.add(std::move(key)) && world.apps.add(std::move(app)));
    }
    std::string token(std::string client_id) {
        return auth::issue_token(*world.apps.find_key("revocable.key"), {.client_id = std::move(client_id)}, true, clock_now).value().token;
    }
    std::shared_ptr<Client> connect(const std::string& token, std::size_t shard) {
        shard %= world.size();
        auto client = std::make_shared<Client>(world, shard, protocol::Format::json);
        Hub::ConnectRequest request{.identity = auth::check_token(world.apps, token, clock_now).value()};
        world.hubs[shard]->connect(std::move(request), client,
                                   [client](Result<Connection*> connection) { client->connection = *connection; });
        world.settle();
        return client;
    }
    /// Of what was issued so far.
    void revoke(std::string target, std::chrono::seconds margin) {
        const auto before = clock_now += 1ms;
        const std::vector<auth::Revocation> added{{"revocable.key", std::move(target), before, before + margin}};
        ASSERT_TRUE(world.apps.revocations().add(added, clock_now));
        world.hubs[0]->tokens_revoked();
        world.settle();
    }
    static bool revoked(const std::shared_ptr<Client>& client) {
        const auto told = client->of(Action::disconnected);
        return !client->connection && told.size() == 1 && told[0].error->code == ErrorCode::token_revoked;
    }

    World world{GetParam(), 1'000};
};

TEST_P(RevocationTest, disconnects_those_concerned_on_every_shard_and_nobody_else) {
    auto ann = connect(token("ann"), 0), ann_too = connect(token("ann"), 1), bob = connect(token("bob"), 2);
    revoke("clientId:ann", 0s);
    EXPECT_TRUE(revoked(ann));
    EXPECT_TRUE(revoked(ann_too));
    EXPECT_NE(bob->connection, nullptr);
}

TEST_P(RevocationTest, with_a_margin_a_client_is_asked_for_another_token_and_stays_with_it) {
    auto ann = connect(token("ann"), 0), bob = connect(token("bob"), 1);
    revoke("channel:*", 30s);
    EXPECT_EQ(ann->of(Action::auth).size(), 1u);
    EXPECT_EQ(bob->of(Action::auth).size(), 1u);
    clock_now += 1s;
    ann->say({.action = Action::auth, .access_token = token("ann")});
    world.tick_for(28s);
    EXPECT_NE(bob->connection, nullptr);
    world.tick_for(8s);
    EXPECT_TRUE(revoked(bob));
    EXPECT_NE(ann->connection, nullptr);
    EXPECT_EQ(ann->of(Action::auth).size(), 1u);
}

TEST_P(RevocationTest, a_later_one_without_margin_does_not_wait_for_it) {
    auto ann = connect(token("ann"), 1);
    revoke("clientId:ann", 30s);
    EXPECT_NE(ann->connection, nullptr);
    revoke("clientId:ann", 0s);
    EXPECT_TRUE(revoked(ann));
}

TEST_P(RevocationTest, meets_who_was_still_connecting) {
    const auto identity = auth::check_token(world.apps, token("ann"), clock_now).value();
    revoke("clientId:ann", 0s);
    auto ann = std::make_shared<Client>(world, 0, protocol::Format::json);
    world.hubs[0]->connect({.identity = identity}, ann, [ann](Result<Connection*> connection) { ann->connection = *connection; });
    world.settle();
    EXPECT_EQ(ann->of(Action::disconnected).at(0).error->code, ErrorCode::token_revoked);
}

INSTANTIATE_TEST_SUITE_P(Shards, RevocationTest, testing::Values(1, 3), [](const auto& shards) { return std::to_string(shards.param); });

}  // namespace
}  // namespace realtime
