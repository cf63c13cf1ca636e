// What the program says again of its own command line.
#include "app/command_line.hpp"

#include "tests/catch.hpp"

using pfx::app::said_again;

TEST_CASE("a one-time code is not said again, wherever it stands", "[app]") {
  CHECK(said_again({"pfxengine", "register", "S3CRET"}) == "pfxengine register CODE");
  CHECK(said_again({"pfxengine", "register", "--name", "office 1", "S3CRET"})
        == "pfxengine register --name 'office 1' CODE");
  CHECK(said_again({"pfxengine", "register", "--config", "a.json", "--name=x", "S3CRET"})
        == "pfxengine register --config a.json --name=x CODE");
  CHECK(said_again({"pfxengine", "register", "S3CRET", "--config", "a.json"})
        == "pfxengine register CODE --config a.json");
  CHECK(said_again({"pfxengine", "register", "--", "S3CRET"}) == "pfxengine register -- CODE");
  CHECK(said_again({"pfxengine", "register", "--", "-S3CRET"}) == "pfxengine register -- CODE");
  CHECK(said_again({"pfxengine", "register", "--", "--name", "S3CRET"})
        == "pfxengine register -- CODE CODE");
  CHECK(said_again({"pfxengine", "register", "S3CRET", "S3CRET"})
        == "pfxengine register CODE CODE");
  CHECK(said_again({"pfxengine", "register", ""}) == "pfxengine register CODE");
}

TEST_CASE("what is no code is said again as a shell reads it", "[app]") {
  CHECK(said_again({}).empty());
  CHECK(said_again({"pfxengine", "register", "-", "--name", "x"})
        == "pfxengine register - --name x");
  CHECK(said_again({"register", "run"}) == "register run");
  CHECK(said_again({"pfxengine", "key", "create", "--name", "register", "--padding", "pkcs1"})
        == "pfxengine key create --name register --padding pkcs1");
  CHECK(said_again({"pfxengine", "run", "--config", "it's; $(here)"})
        == "pfxengine run --config 'it'\\''s; $(here)'");
}
