#include "tests/support/fake_controller.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "common/base/check.h"
#include "headgate/v1/agent.grpc.pb.h"

namespace headgate::test {

using google::protobuf::util::TimeUtil;

struct FakeController::State {
  explicit State(const Options& given) : options(given) {}

  const Options options;
  int port = 0;
  std::unique_ptr<Service> service;
  std::unique_ptr<grpc::Server> server;

  mutable std::mutex mutex;
  std::condition_variable changed;
  // Protected by mutex.
  bool stopping = false;
  v1::Outlook outlook;
  std::map<std::string, v1::Directive> directives;
  std::uint64_t news = 0;
  bool wants_full_state = false;
  int sessions = 0;
  int hellos = 0;
  int gaps = 0;
  std::string agent;
  v1::Hello hello;
  v1::Counters counters;
  std::map<std::string, v1::Report> reports;
};

// One thread of gRPC's reads, one writes: plain and slow, as a fake may be.
class FakeController::Service : public v1::AgentControl::Service {
 public:
  explicit Service(State& state) : state_(state) {}

  grpc::Status Session(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::ControllerMessage, v1::AgentMessage>* stream) override {
    v1::AgentMessage message;
    if (!stream->Read(&message) || !message.has_hello()) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "the first message must be Hello"};
    }
    {
      const std::lock_guard lock(state_.mutex);
      ++state_.sessions;
      const auto name = context->client_metadata().find("headgate-agent");
      if (name != context->client_metadata().end()) {
        state_.agent = std::string(name->second.data(), name->second.size());
      }
      for (const auto& uri : context->auth_context()->FindPropertyValues("peer_spiffe_id")) {
        state_.agent = std::string(uri.data(), uri.size());
      }
    }
    Note(message);
    v1::ControllerMessage welcome;
    welcome.mutable_welcome()->set_epoch(1);
    if (!stream->Write(welcome)) return grpc::Status::OK;
    std::atomic<bool> ended{false};
    std::thread writer([&] { WriteUntil(ended, *context, *stream); });
    while (stream->Read(&message)) Note(message);
    ended = true;
    state_.changed.notify_all();
    writer.join();
    return grpc::Status::OK;
  }

 private:
  void Note(const v1::AgentMessage& message) {
    const std::lock_guard lock(state_.mutex);
    if (message.has_hello()) {
      ++state_.hellos;
      state_.hello = message.hello();
      for (const v1::Report& report : message.hello().gates()) {
        state_.reports[report.gate()] = report;
      }
    }
    if (message.has_report()) state_.reports[message.report().gate()] = message.report();
    if (message.has_counters()) {
      const bool same_boot = message.counters().boot_id() == state_.counters.boot_id();
      if (same_boot && message.counters().sequence() != state_.counters.sequence() + 1) {
        ++state_.gaps;
      }
      state_.counters = message.counters();
    }
  }

  void WriteUntil(const std::atomic<bool>& ended, grpc::ServerContext& context,
                  grpc::ServerReaderWriter<v1::ControllerMessage, v1::AgentMessage>& stream) {
    std::uint64_t told = 0;
    std::unique_lock lock(state_.mutex);
    while (!ended) {
      if (state_.stopping) {
        context.TryCancel();
        return;
      }
      const std::map<std::string, v1::Directive> directives = state_.directives;
      const bool asks = std::exchange(state_.wants_full_state, false);
      told = state_.news;
      lock.unlock();
      for (const auto& [gate, directive] : directives) {
        v1::ControllerMessage message;
        *message.mutable_directive() = directive;
        stream.Write(message);
      }
      if (asks) {
        v1::ControllerMessage message;
        message.mutable_full_state_request();
        stream.Write(message);
      }
      lock.lock();
      state_.changed.wait_for(lock, state_.options.renew_every, [&] {
        return ended || state_.stopping || state_.news != told || state_.wants_full_state;
      });
    }
  }

  State& state_;
};

FakeController::FakeController(const Options& options) : state_(std::make_unique<State>(options)) {
  state_->service = std::make_unique<Service>(*state_);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(fmt::format("127.0.0.1:{}", options.port), options.credentials,
                           &state_->port);
  builder.RegisterService(state_->service.get());
  state_->server = builder.BuildAndStart();
  HEADGATE_CHECK(state_->server != nullptr && state_->port != 0);
}

FakeController::~FakeController() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  state_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
}

std::string FakeController::address() const { return fmt::format("127.0.0.1:{}", port()); }
int FakeController::port() const { return state_->port; }

void FakeController::Direct(const Directive& directive) {
  DirectWithDigest(directive, DigestOf(directive));
}

void FakeController::DirectWithDigest(const Directive& directive, std::uint64_t digest) {
  v1::Directive message;
  message.set_gate(directive.gate);
  message.mutable_version()->set_epoch(directive.version.epoch);
  message.mutable_version()->set_revision(directive.version.revision);
  message.set_digest(digest);
  message.set_share_ppm(directive.share.ppm());
  message.set_no_raise(directive.no_raise);
  message.set_retry_after_s(directive.retry_after_s);
  *message.mutable_valid_for() =
      TimeUtil::MillisecondsToDuration(state_->options.valid_for.count());
  message.mutable_cookie_keys()->set_issuing(directive.cookie_keys.issuing);
  for (const CookieKey& key : directive.cookie_keys.keys) {
    v1::CookieKey& added = *message.mutable_cookie_keys()->add_keys();
    added.set_id(key.id);
    added.set_secret(key.secret);
  }
  if (directive.cookie_keys.empty()) message.clear_cookie_keys();
  {
    const std::lock_guard lock(state_->mutex);
    *message.mutable_outlook() = state_->outlook;
    state_->directives[directive.gate] = message;
    ++state_->news;
  }
  state_->changed.notify_all();
}

void FakeController::Foretell(const Outlook& outlook) {
  const std::lock_guard lock(state_->mutex);
  state_->outlook.Clear();
  for (const Return& told : outlook.returns) {
    v1::Return& one = *state_->outlook.add_returns();
    one.set_share_ppm(told.share.ppm());
    if (!told.at) continue;
    *one.mutable_expected_at() = TimeUtil::MillisecondsToTimestamp(UnixMillis(*told.at));
  }
}

void FakeController::AskFullState() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->wants_full_state = true;
  }
  state_->changed.notify_all();
}

int FakeController::sessions() const {
  const std::lock_guard lock(state_->mutex);
  return state_->sessions;
}
int FakeController::hellos() const {
  const std::lock_guard lock(state_->mutex);
  return state_->hellos;
}
int FakeController::gaps() const {
  const std::lock_guard lock(state_->mutex);
  return state_->gaps;
}
v1::Hello FakeController::hello() const {
  const std::lock_guard lock(state_->mutex);
  return state_->hello;
}
v1::Counters FakeController::counters() const {
  const std::lock_guard lock(state_->mutex);
  return state_->counters;
}
std::string FakeController::agent() const {
  const std::lock_guard lock(state_->mutex);
  return state_->agent;
}
v1::Report FakeController::report(const std::string& gate) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->reports.find(gate);
  return found == state_->reports.end() ? v1::Report() : found->second;
}
v1::GateCounters FakeController::gate_counters(const std::string& gate) const {
  const v1::Counters newest = counters();
  for (const v1::GateCounters& counts : newest.gates()) {
    if (counts.gate() == gate) return counts;
  }
  return {};
}

}  // namespace headgate::test
