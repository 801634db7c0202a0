#include "agents/core/session.h"

#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "agents/core/session_stream.h"
#include "agents/core/session_wire.h"

namespace headgate::agent {
namespace {

constexpr Duration kLook{100};
// 0.2 s doubled so often is above the longest pause.
constexpr int kDoublingsMax = 6;

std::shared_ptr<grpc::Channel> Connect(
    const std::string& controller, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(Session::kFrameBytesMax);
  arguments.SetMaxSendMessageSize(Session::kFrameBytesMax);
  // To one address. gRPC's attempt ends by itself, at the later of these two, and is closed: one
  // that its channel leaves while it waits for the peer's settings stays open for good (1.51), at
  // the controller too.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
                   static_cast<int>(Session::kConnectMax.count()));
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Its own connection: one that was made with an older certificate is not taken over.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(controller, credentials, arguments);
}

// False: no address of it takes us.
bool IsReached(grpc::Channel& channel) {
  const auto deadline = std::chrono::system_clock::now() + Session::kResolveAndConnectMax;
  grpc_connectivity_state state = channel.GetState(/*try_to_connect=*/true);
  while (state != GRPC_CHANNEL_READY) {
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE) return false;
    if (!channel.WaitForStateChange(state, deadline)) return false;
    state = channel.GetState(/*try_to_connect=*/true);
  }
  return true;
}

}  // namespace

Session::Session(Options options, Outbox& outbox, const Clock& clock, Log& log)
    : options_(std::move(options)),
      outbox_(outbox),
      clock_(clock),
      log_(log),
      seen_at_(clock.Now()),
      random_(std::random_device{}()) {
  thread_ = std::thread([this] { Run(); });
}

Session::~Session() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool Session::IsStopped() {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void Session::Pause(Duration pause) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, pause, [this] { return stopped_; });
}

void Session::Run() {
  pthread_setname_np(pthread_self(), "session");
  std::size_t next = random_() % options_.controllers.size();
  int failures = 0;
  while (!IsStopped()) {
    seen_at_ = clock_.Now();
    const std::string& controller = options_.controllers[next++ % options_.controllers.size()];
    failures = Talk(controller) ? 0 : failures + 1;
    // Full jitter: anywhere between the least pause and a bound that doubles, so that a thousand
    // agents do not come back as one.
    const Duration bound =
        std::min(kBackoffMax, kBackoffMin * (1 << std::min(failures, kDoublingsMax)));
    std::uniform_int_distribution<Duration::rep> pause(kBackoffMin.count(), bound.count());
    Pause(Duration(pause(random_)));
  }
}

bool Session::Talk(const std::string& controller) {
  const auto fail = [&](const std::string& why) {
    // Once for each new reason: an outage must not fill the log.
    if (why != last_failure_) {
      log_.Warning("controller_unreachable", {{"controller", controller}, {"why", why}});
    }
    last_failure_ = why;
    return false;
  };
  const absl::StatusOr<Credentials> credentials = options_.credentials();
  if (!credentials.ok()) return fail(std::string(credentials.status().message()));
  const std::shared_ptr<grpc::Channel> channel = Connect(controller, credentials->channel);
  if (!IsReached(*channel)) {
    return fail(fmt::format("nobody listens there, or none that answers within {} ms",
                            kConnectMax.count()));
  }
  const std::unique_ptr<v1::AgentControl::Stub> stub = v1::AgentControl::NewStub(channel);
  ++connections_;
  bool was_welcome = false;
  grpc::Status status;
  {
    Stream stream(
        {.self = options_.self,
         .outbox = outbox_,
         .sequence = sequence_,
         .push_every = options_.push_every,
         .on_directive = [this](const v1::Directive& directive) { return Judge(directive); },
         .on_welcome =
             [&](const v1::Welcome& welcome) {
               is_connected_ = true;
               log_.Info("controller_welcomes", {{"controller", controller},
                                                 {"epoch", welcome.epoch()},
                                                 {"agent", welcome.agent()}});
             }},
        *stub, options_.plaintext_name);
    outbox_.Listen([&stream] { stream.Pump(); });
    was_welcome = Watch(stream, *credentials);
    outbox_.Listen(nullptr);
    is_connected_ = false;
    stream.Cancel();
    stream.WaitForEnd(kWelcomeMax);
    status = stream.status();
  }
  if (was_welcome) last_failure_.clear();
  if (!IsStopped())
    fail(status.error_message().empty() ? "the stream ended" : status.error_message());
  return was_welcome;
}

std::optional<v1::Report> Session::Judge(const v1::Directive& directive) {
  absl::StatusOr<Offer> offer = OfferFrom(directive);
  const bool is_sound = offer.ok();
  is_unsound_ = !is_sound;
  std::string why(offer.status().message());
  if (is_sound) {
    if (options_.on_offer(*std::move(offer))) return std::nullopt;
    why = "this agent's configuration names no such gate";
  }
  log_.Error("directive_refused", {{"gate", directive.gate()}, {"why", why}});
  return RefusalOf(directive, is_sound ? RefusalCode::kUnknownGate : RefusalCode::kCorrupt, why);
}

bool Session::IsRefused() {
  if (is_unsound_) return true;
  const std::vector<GateWord> words = outbox_.All();
  return std::any_of(words.begin(), words.end(), [](const GateWord& word) {
    const std::optional<Refusal>& refusal = word.standing.refusal;
    return refusal && (refusal->code == RefusalCode::kStaleEpoch ||
                       refusal->code == RefusalCode::kDigestMismatch);
  });
}

bool Session::Watch(Stream& stream, const Credentials& credentials) {
  const auto began = Stream::Monotonic::now();
  auto heeded_at = began;
  is_unsound_ = false;
  while (!stream.WaitForEnd(kLook)) {
    seen_at_ = clock_.Now();
    const auto now = Stream::Monotonic::now();
    if (IsStopped()) break;
    if (!stream.is_welcome() && now - began > kWelcomeMax) break;
    if (credentials.not_after && clock_.WallNow() >= *credentials.not_after) break;
    const auto write_since = stream.write_since();
    if (write_since && now - *write_since > kWriteMax) break;
    if (options_.controllers.size() < 2) continue;
    if (!IsRefused()) heeded_at = now;
    if (now - heeded_at > kRefusedMax) {
      log_.Warning("controller_left", {{"why", "what it says is refused: another may lead"}});
      break;
    }
  }
  return stream.is_welcome();
}

}  // namespace headgate::agent
