// Verified first, written second.
#include "release/trust_store.hpp"

#include "release/files.hpp"

namespace pfx::release {

namespace {

constexpr std::size_t trust_bytes_max = document_bytes_max + 2'048;

result<trust> first_trust(const std::string& first_root) {
  auto text = detail::read_file(first_root, document_bytes_max);
  if (!text)
    return failure(text.error());
  return trust{std::move(*text), std::nullopt};
}

} // namespace

trust_store::trust_store(std::string path, trust known, root of)
    : path_(std::move(path)), known_(std::move(known)),
      root_(std::move(of)), verified_roots_{{root_.number, known_.root_text}} {}

result<trust_store> trust_store::open(const std::string& folder, const std::string& first_root,
                                      unix_ms now) {
  if (auto made = detail::make_folder(folder, 0700); !made)
    return failure(made.error());
  const auto path = folder + "/trust";
  result<trust> known = failure(errc::not_found, "", "");
  const auto text = detail::read_file(path, trust_bytes_max);
  if (text)
    known = decode_trust(*text);
  else if (text.error().code == errc::not_found)
    known = first_trust(first_root);
  else
    known = failure(text.error());
  if (!known)
    return failure(known.error());
  auto of = crypto::read_first_root(known->root_text, now);
  if (!of)
    return failure(of.error().code, "root", to_string(of.error()));
  return trust_store(path, std::move(*known), std::move(*of));
}

result<void> trust_store::remember(trust next) {
  if (next == known_)
    return {};
  auto done = detail::replace_file(path_, as_bytes(encode(next)), 0600, "trust");
  if (done)
    known_ = std::move(next);
  return done;
}

result<void> trust_store::follow(std::string_view next_root_text, unix_ms now) {
  auto next = crypto::read_next_root(root_, next_root_text, now);
  if (!next)
    return failure(next.error());
  auto done
    = remember({std::string(next_root_text), remembered_under(*next, root_, known_.highest)});
  if (done) {
    root_ = std::move(*next);
    verified_roots_[root_.number] = known_.root_text;
  }
  return done;
}

result<void> trust_store::follow_all(feed& from, unix_ms now) {
  for (int step = 0; step < root_steps_max; ++step) {
    const auto text = from.document(root_file_name(root_.number + 1), document_bytes_max);
    if (!text && text.error().code == errc::not_found)
      return crypto::check_root_expiry(root_, now);
    if (!text)
      return failure(text.error());
    if (auto done = follow(*text, now); !done)
      return failure(done.error().code, "root." + done.error().field, done.error().message);
  }
  return failure(errc::too_large, "root", "more roots follow than are taken at once");
}

result<trust_store::verified> trust_store::take_manifest(std::string_view text,
                                                         const expectation& here) {
  if (auto lives = crypto::check_root_expiry(root_, here.now); !lives)
    return failure(lives.error());
  const auto read = crypto::read_manifest(root_, text, here.now);
  if (!read)
    return failure(read.error());
  const auto is = judge(*read, here, known_.highest);
  if (!is)
    return failure(is.error());
  auto next = known_;
  next.highest = seen_of(*read);
  if (auto done = remember(std::move(next)); !done)
    return failure(done.error());
  return verified{*read, *is};
}

} // namespace pfx::release
