// The limit of a re-delivery: the record is found, and the request is the one it stands for.
#include <array>
#include <random>

#include <openssl/evp.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include "bench/limit_loop.hpp"

namespace pfx::bench {

namespace {

constexpr std::size_t record_octets = 170;    ///< of a settled record of ours
constexpr std::size_t request_octets = 2'000; ///< of a request's text
constexpr double bloom_bits = 10;
constexpr std::size_t at_a_time = 200; ///< so that the clock does not weigh

std::string key_of(std::size_t number) {
  return "bench/request-" + std::to_string(number * 2654435761U % 4294967291U);
}

std::shared_ptr<rocksdb::DB> filled(const limit_options& options) {
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(bloom_bits));
  rocksdb::Options how;
  how.create_if_missing = true;
  how.compression = rocksdb::kNoCompression;
  how.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* made = nullptr;
  must(rocksdb::DB::Open(how, options.directory + "/look-ups", &made).ok(), "opening a database");
  std::shared_ptr<rocksdb::DB> out(made);
  std::mt19937_64 random(1);
  for (std::size_t at = 0; at < options.records; ++at) {
    std::string value(record_octets, '\0');
    for (auto& one : value) {
      one = static_cast<char>(random());
    }
    must(out->Put({}, key_of(at), value).ok(), "filling a database");
  }
  must(out->Flush({}).ok(), "flushing a database");
  return out;
}

void hash(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  must(EVP_Q_digest(nullptr, "SHA256", nullptr, text.data(), text.size(), out.data(), nullptr) == 1,
       "hashing");
}

} // namespace

limit_report look_up_limit(const limit_options& options) {
  const auto database = filled(options);
  return run_limit(options, at_a_time, [&] {
    auto random = std::make_shared<std::mt19937_64>(7);
    auto found = std::make_shared<std::string>();
    auto text = std::make_shared<std::string>(request_octets, 'x');
    limit_parts out;
    out.push_back({"look-up", [&options, database, random, found] {
                     for (std::size_t times = 0; times < at_a_time; ++times) {
                       const auto key = key_of((*random)() % options.records);
                       must(database->Get({}, key, found.get()).ok(), "a look-up");
                     }
                   }});
    out.push_back({"SHA-256 of the request", [text] {
                     for (std::size_t times = 0; times < at_a_time; ++times) {
                       hash(*text);
                     }
                   }});
    return out;
  });
}

} // namespace pfx::bench
