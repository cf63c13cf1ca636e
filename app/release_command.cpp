// `release …`: what the maker of this program does with a new version: keys, trust roots,
// manifests, signatures, and the static files of a feed. Speaks to nobody and overwrites nothing.
#include <algorithm>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/console.hpp"
#include "core/program_version.hpp"
#include "release/maker.hpp"

namespace pfx::app {
namespace {

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;

struct release_options {
  std::string out;
  std::string key;
  std::string sealed_by;
  std::string file;
  std::string feed;
  std::string root_file;
  std::string manifest_file;
  std::string package;
  std::string product = "pfxengine";
  std::string platform{release::this_platform()};
  std::string version = program_version();
  std::string valid_from;
  std::int64_t days = 30;
  std::uint32_t number = 1;
  std::uint32_t share = 100;
  std::uint32_t store_format = store_format_version;
  std::uint32_t root_threshold = 1;
  std::uint32_t release_threshold = 1;
  std::vector<std::string> root_keys;
  std::vector<std::string> release_keys;
};
using shared_options = std::shared_ptr<release_options>;

unix_ms this_second() { return system_clock().wall() / 1000 * 1000; }

/// Now, or what the option says.
result<unix_ms> begin_of(const release_options& options) {
  if (options.valid_from.empty())
    return this_second();
  auto out = from_rfc3339(options.valid_from);
  if (!out || *out % 1000 != 0)
    return failure(errc::bad_input, "valid-from", "must be a time like 2026-11-01T12:00:00Z");
  return out;
}

/// A public key as hexadecimal, or the file of the pair.
result<release::public_key> key_named(const std::string& word) {
  if (word.size() == 64 && !std::filesystem::exists(word)) {
    const auto octets = digest_from_hex(word);
    if (!octets)
      return failure(errc::bad_input, "key", "must be a file or 64 hexadecimal digits");
    return release::public_key{octets->octets};
  }
  return release::public_key_of(word);
}

result<release::role> role_of(const std::vector<std::string>& words, std::uint32_t threshold,
                              unix_ms from) {
  release::role out{threshold, {}};
  for (const auto& word : words) {
    const auto key = key_named(word);
    if (!key)
      return failure(key.error());
    out.keys.push_back({*key, from});
  }
  std::sort(out.keys.begin(), out.keys.end());
  return out;
}

/// What does not verify is no bug of ours, and no wrong configuration.
exit_code refused(const error& what) {
  const auto code = refuse(what);
  const bool judged = what.code == errc::policy || what.code == errc::crypto;
  return judged ? exit_code::refused : code;
}

// -- the commands ------

exit_code make_key(const release_options& options) {
  const auto made = release::make_key_file(options.out, options.sealed_by);
  if (!made)
    return refused(made.error());
  say(to_hex(made->octets));
  if (options.sealed_by.empty())
    complain("warning: " + options.out + " holds the key in clear; keep it off networks");
  return exit_code::done;
}

exit_code make_root(const release_options& options) {
  const auto from = begin_of(options);
  if (!from)
    return refused(from.error());
  release::root value;
  value.product = options.product;
  value.number = options.number;
  value.expires = *from + options.days * day_ms;
  auto roots = role_of(options.root_keys, options.root_threshold, *from);
  if (!roots)
    return refused(roots.error());
  auto releases = role_of(options.release_keys, options.release_threshold, *from);
  if (!releases)
    return refused(releases.error());
  value.roots = std::move(*roots);
  value.releases = std::move(*releases);
  if (const auto written = release::write_root(value, options.out); !written)
    return refused(written.error());
  say(options.out + ": root " + std::to_string(value.number) + ", expires "
      + to_rfc3339(value.expires) + "; to be signed");
  return exit_code::done;
}

exit_code make_manifest(const release_options& options) {
  const auto from = begin_of(options);
  if (!from)
    return refused(from.error());
  const auto what = release::version_from(options.version);
  if (!what)
    return refused(what.error());
  release::manifest value;
  value.product = options.product;
  value.platform = options.platform;
  value.what = *what;
  value.released = this_second();
  value.valid_from = *from;
  value.expires = *from + options.days * day_ms;
  value.share = options.share;
  value.store_format = options.store_format;
  const auto made = release::write_manifest(value, options.package, options.out);
  if (!made)
    return refused(made.error());
  say(options.out + ": " + options.product + " " + to_string(made->what) + " for " + made->platform
      + ", " + std::to_string(made->length) + " bytes, SHA-256 " + to_hex(made->hash)
      + "; to be signed");
  return exit_code::done;
}

exit_code sign(const release_options& options) {
  const auto done = release::sign_file(options.file, options.key, options.sealed_by);
  if (!done)
    return refused(done.error());
  say(options.file + ": signed");
  return exit_code::done;
}

exit_code publish(const release_options& options) {
  const auto now = system_clock().wall();
  if (!options.root_file.empty()) {
    const auto root = release::publish_root(options.feed, options.root_file, now);
    if (!root)
      return refused(root.error());
    say(options.feed + ": root " + std::to_string(root->number));
  }
  if (!options.manifest_file.empty()) {
    const auto done
      = release::publish_release(options.feed, options.manifest_file, options.package, now);
    if (!done)
      return refused(done.error());
    say(options.feed + ": " + package_file_name(*done) + " for " + std::to_string(done->share)
        + " % of the connectors");
  }
  return exit_code::done;
}

// -- the command line ------

CLI::App* add_named(CLI::App& parent, const char* name, const char* words,
                    const shared_options& options, exit_code& code,
                    exit_code (*act)(const release_options&)) {
  auto* command = parent.add_subcommand(name, words);
  command->callback([options, &code, act] { code = act(*options); });
  return command;
}

void add_seal(CLI::App& command, const shared_options& options) {
  command.add_option("--sealed-by", options->sealed_by,
                     "File of a master key that seals the key's file");
}

void add_times(CLI::App& command, const shared_options& options) {
  command.add_option("--days", options->days, "How long it is valid")
    ->check(CLI::Range(1, 3'650))
    ->capture_default_str();
  command.add_option("--valid-from", options->valid_from, "Not before; default: now");
}

void add_key_and_sign(CLI::App& parent, exit_code& code) {
  auto options = std::make_shared<release_options>();
  auto* command
    = add_named(parent, "key", "Make a key and print its public half", options, code, &make_key);
  command->add_option("--out", options->out, "New file, mode 0600")->required();
  add_seal(*command, options);
  command->footer("Example:\n  pfxengine release key --out root-a.key");

  options = std::make_shared<release_options>();
  command
    = add_named(parent, "sign", "Sign a root or a manifest, in its file", options, code, &sign);
  command->add_option("FILE", options->file, "The document")->required();
  command->add_option("--key", options->key, "File of a key")->required();
  add_seal(*command, options);
  command->footer("Example:\n  pfxengine release sign 0.2.0.manifest --key release-a.key");
}

void add_documents(CLI::App& parent, exit_code& code) {
  auto options = std::make_shared<release_options>();
  options->days = 365;
  auto* command
    = add_named(parent, "root", "Write a trust root: who may sign", options, code, &make_root);
  command->add_option("--out", options->out, "New file")->required();
  command->add_option("--number", options->number, "One more than the root before")
    ->check(CLI::Range(1u, release::root_number_max))
    ->capture_default_str();
  command->add_option("--root-key", options->root_keys, "File or public key; signs the next root")
    ->required();
  command->add_option("--root-threshold", options->root_threshold, "How many of them have to")
    ->capture_default_str();
  command->add_option("--release-key", options->release_keys, "File or public key; signs releases")
    ->required();
  command->add_option("--release-threshold", options->release_threshold, "How many of them have to")
    ->capture_default_str();
  command->add_option("--product", options->product, "Name of the product")->capture_default_str();
  add_times(*command, options);
  command->footer("Example:\n  pfxengine release root --out 1.root --root-key a.key --root-key "
                  "b.key\n    --root-threshold 2 --release-key release.key");

  options = std::make_shared<release_options>();
  command = add_named(parent, "manifest", "Write the manifest of a package", options, code,
                      &make_manifest);
  command->add_option("--out", options->out, "New file")->required();
  command->add_option("--package", options->package, "tar archive of the format ustar")->required();
  command->add_option("--version", options->version, "Of the release")->capture_default_str();
  command->add_option("--platform", options->platform, "It is made for")->capture_default_str();
  command->add_option("--product", options->product, "Name of the product")->capture_default_str();
  command->add_option("--share", options->share, "Per cent of the connectors that take it")
    ->check(CLI::Range(0u, 100u))
    ->capture_default_str();
  command->add_option("--store-format", options->store_format, "Of the data that it leaves behind")
    ->check(CLI::Range(1u, release::store_format_max))
    ->capture_default_str();
  add_times(*command, options);
  command->footer("Example:\n  pfxengine release manifest --out 0.2.0.manifest --version 0.2.0\n"
                  "    --package pfxengine.tar --share 10");
}

void add_publish(CLI::App& parent, exit_code& code) {
  auto options = std::make_shared<release_options>();
  auto* command = add_named(parent, "publish", "Put a root, or a release, into a feed", options,
                            code, &publish);
  command->add_option("--feed", options->feed, "Folder of static files")->required();
  auto* root = command->add_option("--root", options->root_file, "A signed root");
  auto* manifest = command->add_option("--manifest", options->manifest_file, "A signed manifest");
  auto* package = command->add_option("--package", options->package, "Its package");
  manifest->needs(package);
  package->needs(manifest);
  root->excludes(manifest);
  command->require_option(2, 3);
  command->footer("Verified as a machine would before anything is written.\n\nExample:\n"
                  "  pfxengine release publish --feed /srv/feed --manifest 0.2.0.manifest\n"
                  "    --package pfxengine.tar");
}

} // namespace

void add_release(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("release", "For the maker: keys, signatures and feeds");
  command->require_subcommand(1);
  command->footer("Example:\n  pfxengine release key --out release-a.key");
  add_key_and_sign(*command, code);
  add_documents(*command, code);
  add_publish(*command, code);
}

} // namespace pfx::app
