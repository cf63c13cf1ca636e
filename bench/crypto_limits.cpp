// The limits of creating and importing, in direct calls of OpenSSL. Algorithms are fetched and keys
// are decoded once; nothing is encoded but what is encrypted or signed anyway.
#include <array>

#include <fcntl.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "bench/limit_loop.hpp"

namespace pfx::bench {

namespace {

constexpr int iterations = 2048;               ///< of our profile and of the imported file
constexpr std::size_t to_be_signed = 450;      ///< octets of a CSR
constexpr std::size_t file_octets = 2'600;     ///< encrypted and authenticated in a PFX
constexpr std::size_t group = 128;             ///< requests that share their synced writes
constexpr std::size_t durable_octets = 12'000; ///< that a request leaves on disk, all steps
constexpr std::size_t password_octets = 32;

template <auto Free>
struct freed {
  template <class T>
  void operator()(T* what) const noexcept {
    Free(what);
  }
};
using key_handle = std::unique_ptr<EVP_PKEY, freed<&EVP_PKEY_free>>;
using key_context = std::unique_ptr<EVP_PKEY_CTX, freed<&EVP_PKEY_CTX_free>>;
using digest_context = std::unique_ptr<EVP_MD_CTX, freed<&EVP_MD_CTX_free>>;
using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, freed<&EVP_CIPHER_CTX_free>>;

/// What one thread works on.
class bench_of_keys {
public:
  explicit bench_of_keys(const limit_options& options, std::size_t syncs)
      : syncs_(syncs), sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
        aes_(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)), digest_(EVP_MD_CTX_new()),
        cipher_(EVP_CIPHER_CTX_new()), octets_(file_octets + 64), out_(file_octets + 64),
        block_(group * durable_octets / std::max<std::size_t>(1, syncs)) {
    must(sha256_ != nullptr && aes_ != nullptr && digest_ && cipher_, "fetching algorithms");
    must(RAND_bytes(octets_.data(), static_cast<int>(octets_.size())) == 1, "random octets");
    must(RAND_bytes(block_.data(), static_cast<int>(block_.size())) == 1, "random octets");
    device_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
    must(device_ != nullptr, "a device's key");
    encrypt_ = oaep(true);
    decrypt_ = oaep(false);
    encrypted_.resize(256);
    cms();
    auto name = options.directory + "/limit.XXXXXX";
    file_ = ::mkstemp(name.data());
    must(file_ >= 0, "a file to sync");
    ::unlink(name.c_str());
  }
  ~bench_of_keys() {
    ::close(file_);
    EVP_MD_free(sha256_);
    EVP_CIPHER_free(aes_);
  }
  bench_of_keys(const bench_of_keys&) = delete;
  bench_of_keys& operator=(const bench_of_keys&) = delete;

  void make_ec_key() { made_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")); }
  void make_rsa_key() {
    made_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
  }

  void sign() {
    must(made_ != nullptr, "making a key");
    std::size_t size = out_.size();
    must(EVP_MD_CTX_reset(digest_.get()) == 1
           && EVP_DigestSignInit(digest_.get(), nullptr, sha256_, nullptr, made_.get()) == 1
           && EVP_DigestSign(digest_.get(), out_.data(), &size, octets_.data(), to_be_signed) == 1,
         "signing");
  }

  /// The keys of the certificates' and the private key's encryption, and of the MAC.
  void kdf() {
    std::array<unsigned char, 32> key{};
    std::array<unsigned char, 16> salt{};
    const auto* password = reinterpret_cast<const char*>(octets_.data());
    for (int times = 0; times < 2; ++times) {
      must(PKCS5_PBKDF2_HMAC(password, password_octets, salt.data(), 16, iterations, sha256_, 32,
                             key.data())
             == 1,
           "PBKDF2");
    }
    must(PKCS12_key_gen_uni(octets_.data(), 2 * password_octets + 2, salt.data(), 16, PKCS12_MAC_ID,
                            iterations, 32, key.data(), sha256_)
           == 1,
         "the KDF of PKCS#12");
  }

  void aes() {
    int size = 0;
    must(EVP_EncryptInit_ex2(cipher_.get(), aes_, octets_.data(), octets_.data() + 32, nullptr) == 1
           && EVP_EncryptUpdate(cipher_.get(), out_.data(), &size, octets_.data(), file_octets) == 1
           && EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, octets_.data(), 32,
                        out_.data(), file_octets, out_.data(), out_.size(), nullptr)
             != nullptr,
         "AES and HMAC");
  }

  void cms() {
    std::size_t size = encrypted_.size();
    int written = 0;
    must(
      EVP_PKEY_encrypt(encrypt_.get(), encrypted_.data(), &size, octets_.data(), 32) == 1
        && EVP_EncryptInit_ex2(cipher_.get(), aes_, octets_.data(), octets_.data() + 32, nullptr)
          == 1
        && EVP_EncryptUpdate(cipher_.get(), out_.data(), &written, octets_.data(), password_octets)
          == 1,
      "a CMS");
  }

  void open_password() {
    std::size_t size = out_.size();
    must(EVP_PKEY_decrypt(decrypt_.get(), out_.data(), &size, encrypted_.data(), 256) == 1
           && size == 32,
         "decrypting a password");
  }

  /// A group's writes, once per group.
  void sync() {
    if (++requests_ % group != 0) {
      return;
    }
    for (std::size_t times = 0; times < syncs_; ++times) {
      must(::write(file_, block_.data(), block_.size()) == static_cast<::ssize_t>(block_.size())
             && ::fdatasync(file_) == 0,
           "a synced write");
    }
  }

private:
  key_context oaep(bool encrypt) {
    key_context out(EVP_PKEY_CTX_new_from_pkey(nullptr, device_.get(), nullptr));
    must(out != nullptr
           && (encrypt ? EVP_PKEY_encrypt_init(out.get()) : EVP_PKEY_decrypt_init(out.get())) == 1
           && EVP_PKEY_CTX_set_rsa_padding(out.get(), RSA_PKCS1_OAEP_PADDING) == 1
           && EVP_PKEY_CTX_set_rsa_oaep_md(out.get(), sha256_) == 1
           && EVP_PKEY_CTX_set_rsa_mgf1_md(out.get(), sha256_) == 1,
         "OAEP");
    return out;
  }

  std::size_t syncs_;
  EVP_MD* sha256_;
  EVP_CIPHER* aes_;
  digest_context digest_;
  cipher_context cipher_;
  std::vector<unsigned char> octets_, out_, encrypted_, block_;
  key_handle device_, made_;
  key_context encrypt_, decrypt_;
  int file_ = -1;
  std::size_t requests_ = 0;
};

constexpr std::size_t create_syncs = 6; ///< received, claimed, intent, issued, prepared, settled
constexpr std::size_t import_syncs = 4; ///< received, claimed, prepared, settled

} // namespace

limit_report crypto_limit(const limit_options& options) {
  return run_limit(options, 1, [&options] {
    const bool import = options.workload == "import";
    auto on = std::make_shared<bench_of_keys>(options, import ? import_syncs : create_syncs);
    limit_parts out;
    if (import) {
      out.push_back({"rsa2048 decryption", [on] { on->open_password(); }});
    } else if (options.workload == "create-rsa2048") {
      out.push_back({"rsa2048 key", [on] { on->make_rsa_key(); }});
      out.push_back({"csr signature", [on] { on->sign(); }});
    } else {
      out.push_back({"p256 key", [on] { on->make_ec_key(); }});
      out.push_back({"csr signature", [on] { on->sign(); }});
    }
    out.push_back({"2 PBKDF2 and 1 PKCS#12 KDF, 2048 iterations", [on] { on->kdf(); }});
    out.push_back({"AES-256-CBC and HMAC of the file", [on] { on->aes(); }});
    out.push_back({"one CMS, RSA-2048 OAEP", [on] { on->cms(); }});
    out.push_back({"synced writes in groups of 128", [on] { on->sync(); }});
    return out;
  });
}

} // namespace pfx::bench
