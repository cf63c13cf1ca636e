// The connector's own certificate, made anew. Steps, each durable before the next: the next key,
// sealed, in a file of its own; the certificate asked for and written beside it as the next
// identity; then the two files take the places of the old ones. From the moment the next identity
// is written, every start ends what was begun; before that moment the old identity is untouched.
#include <unistd.h>

#include "core/fault_point.hpp"
#include "crypto/request.hpp"
#include "engine/files.hpp"
#include "engine/identity_files.hpp"

namespace pfx::engine::detail {

namespace {

bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

void passed(const renewal_order& order, std::string_view step) {
  fault_point("renewal", step);
  if (order.after)
    order.after(step);
}

result<crypto::private_key> key_in(const configuration& settings, const std::string& path) {
  const auto plain = read_sealed_key(settings, path);
  if (!plain)
    return failure(plain.error());
  return crypto::private_key::from_pkcs8(plain->view());
}

/// Whether what lies there can never be our next key: it was read, and is damaged or sealed under
/// another master key, while the key in use opens with the present one. Any other fault passes.
bool is_useless(const configuration& settings, const error& fault) {
  const bool of_the_file = fault.code == errc::wrong_key || fault.code == errc::corrupt;
  return of_the_file && key_in(settings, key_path(settings));
}

/// The key that the next certificate is for: one that an earlier try has left, or a new one. One
/// that this master key does not open was left by a try before a rotation, and no certificate.
result<crypto::private_key> next_key(const configuration& settings) {
  const auto path = next_identity_key_path(settings);
  if (is_there(path)) {
    auto left = key_in(settings, path);
    if (left)
      return left;
    if (!is_useless(settings, left.error()))
      return failure(left.error());
    if (auto gone = remove_file(path); !gone)
      return failure(gone.error());
  }
  if (auto written = write_sealed_key(settings, path); !written)
    return failure(written.error());
  return key_in(settings, path);
}

/// What the service gave must be a certificate of our next key, for the same connector, that lasts
/// longer than the one in use.
result<crypto::certificate> checked(byte_view der, const crypto::private_key& key,
                                    const crypto::certificate& old) {
  auto made = crypto::certificate::from_der(der);
  if (!made)
    return failure(made.error().code, "certificate", made.error().message);
  if (!made->matches(key))
    return failure(errc::crypto, "certificate", "is not one of the key that was sent");
  if (made->subject() != old.subject())
    return failure(errc::policy, "certificate", "is made out to another name");
  if (made->not_after() <= old.not_after())
    return failure(errc::bad_input, "certificate", "does not last longer than the one in use");
  return made;
}

/// The certificates after the leaf, each in PEM.
result<std::vector<std::string>> chain_of(const identity_document& from) {
  const auto all = crypto::certificate::all_from_pem(from.certificates);
  if (!all)
    return failure(all.error());
  std::vector<std::string> out;
  for (std::size_t i = 1; i < all->size(); ++i)
    out.push_back((*all)[i].pem());
  return out;
}

result<bool> belongs(const configuration& settings, const std::string& key_file,
                     const crypto::certificate& to) {
  if (!is_there(key_file))
    return false;
  const auto key = key_in(settings, key_file);
  if (!key)
    return failure(key.error());
  return to.matches(*key);
}

/// First the key, then the document: whoever finds the document without its key beside it knows
/// that the key is in place.
result<bool> put_in_place(const configuration& settings, const renewal_order& order) {
  const auto next = next_identity_path(settings);
  if (!is_there(next))
    return false;
  const auto document = read_identity_document(next);
  if (!document)
    return failure(document.error());
  const auto own = crypto::certificate::from_pem(document->certificates);
  if (!own)
    return failure(errc::corrupt, printable(next, 512), own.error().message);
  const auto next_fits = belongs(settings, next_identity_key_path(settings), *own);
  if (!next_fits)
    return failure(next_fits.error());
  if (*next_fits) {
    if (auto moved = rename_file(next_identity_key_path(settings), key_path(settings)); !moved)
      return failure(moved.error());
    passed(order, "key_in_place");
  } else {
    const auto in_place = belongs(settings, key_path(settings), *own);
    if (!in_place)
      return failure(in_place.error());
    if (!*in_place)
      return failure(errc::corrupt, printable(next, 512),
                     "is a certificate of neither key; move it away");
  }
  if (auto moved = rename_file(next, settings.identity_file); !moved)
    return failure(moved.error());
  passed(order, "identity_in_place");
  return true;
}

} // namespace

result<bool> finish_renewal(const configuration& settings) { return put_in_place(settings, {}); }

result<connector_identity> renew_identity(const configuration& settings,
                                          const renewal_order& order) {
  // An earlier try may have come as far as the certificate.
  if (auto done = put_in_place(settings, order); !done)
    return failure(done.error());
  else if (*done)
    return load_identity(settings);
  const auto document = read_identity_document(settings.identity_file);
  if (!document)
    return failure(document.error());
  const auto old = crypto::certificate::from_pem(document->certificates);
  if (!old)
    return failure(old.error());
  const auto chain = chain_of(*document);
  if (!chain)
    return failure(chain.error());
  const auto key = next_key(settings);
  if (!key)
    return failure(key.error());
  passed(order, "key_written");
  auto csr = crypto::build_csr(*key, crypto::csr_options{.subject = old->subject()});
  if (!csr)
    return failure(csr.error());
  const auto answer = order.ask(*csr);
  if (!answer)
    return failure(answer.error());
  passed(order, "answered");
  const auto own = checked(*answer, *key, *old);
  if (!own)
    return failure(own.error());
  const auto text = identity_text(document->connector_id, *own, *chain);
  if (auto written = replace_file(next_identity_path(settings), as_bytes(text)); !written)
    return failure(written.error());
  passed(order, "identity_written");
  if (auto done = put_in_place(settings, order); !done)
    return failure(done.error());
  return load_identity(settings);
}

} // namespace pfx::engine::detail
