// The face of the PKCS#12 reader: a file that was judged, and opening it. Refuses to show what the
// file consists of.
#include "crypto/pfx_file.hpp"

#include "crypto/openssl.hpp"
#include "crypto/pfx_parts.hpp"

namespace pfx::crypto {

struct pfx_file::state {
  pfx_parts::frame frame;
};

pfx_file::pfx_file(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
pfx_file::pfx_file(pfx_file&&) noexcept = default;
pfx_file& pfx_file::operator=(pfx_file&&) noexcept = default;
pfx_file::~pfx_file() = default;

pfx_result<pfx_file> pfx_file::parse(byte_view octets) {
  const queue_guard guard;
  auto read = pfx_parts::read_frame(octets);
  if (!read)
    return tl::unexpected(std::move(read).error());
  return pfx_file(std::make_unique<state>(state{std::move(*read)}));
}

bool pfx_file::has_mac() const noexcept { return state_->frame.mac.has_value(); }

std::int64_t pfx_file::known_iterations() const noexcept { return state_->frame.seen.iterations; }

pfx_result<pfx_contents> pfx_file::open(const secret_bytes& password,
                                        std::int64_t iterations_budget) const {
  return pfx_parts::open_frame(state_->frame, password, iterations_budget, {});
}

} // namespace pfx::crypto
