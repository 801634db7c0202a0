#include "controller/api/agent_service.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/allowance.h"
#include "controller/api/agent_words.h"
#include "controller/api/certificate_end.h"

namespace headgate::api {
namespace {

// A stream that does not begin with Hello for so long is ended.
constexpr Duration kHelloMax{5'000};
// An agent pushes counters four times a second, and reports when something changes. What it may
// save up is a change at each of its gates.
constexpr double kMessagesPerSecondMax = 50;
constexpr double kMessagesSavedMax = 200;

class AgentSession;

// What the fleet holds. It outlives the stream, and then does nothing. On the loop's thread.
class Link : public fleet::Session {
 public:
  explicit Link(AgentSession* session) : session_(session) {}
  void Send(const Directive& directive, const Outlook& outlook, Duration valid_for) override;
  void AskFullState() override;
  void Close(absl::Status why) override;
  void Cut() { session_ = nullptr; }

 private:
  AgentSession* session_;
};

// One stream. gRPC calls its On… methods on its own threads, which post; the rest is on the loop's.
class AgentSession : public grpc::ServerBidiReactor<v1::AgentMessage, v1::ControllerMessage> {
 public:
  AgentSession(Loop& loop, conductor::Conductor& conductor, grpc::CallbackServerContext* context,
               std::string agent)
      : loop_(loop),
        conductor_(conductor),
        context_(context),
        agent_(std::move(agent)),
        link_(std::make_shared<Link>(this)),
        allowance_(kMessagesPerSecondMax, kMessagesSavedMax),
        certificate_end_(loop, conductor.clock(), *context) {
    loop_.Post([this] {
      certificate_end_.Begin([this](const absl::Status& why) { End(why); });
      hello_timer_ = loop_.After(kHelloMax, [this] {
        if (!is_known_) End(absl::DeadlineExceededError("no Hello came"));
      });
    });
    StartRead(&incoming_);
  }

  void OnReadDone(bool ok) override {
    loop_.Post([this, ok] { ok ? OnMessage() : End(absl::OkStatus()); });
  }
  void OnWriteDone(bool ok) override {
    loop_.Post([this, ok] {
      is_writing_ = false;
      loop_.Cancel(write_timer_);
      ok ? Pump() : End(absl::OkStatus());
    });
  }
  void OnCancel() override {
    loop_.Post([this] { End(absl::CancelledError("the stream was cancelled")); });
  }
  // The last call of gRPC; what it posted before runs before.
  void OnDone() override {
    loop_.Post([this] {
      Leave();
      loop_.Cancel(hello_timer_);
      certificate_end_.Cancel();
      // Until here it runs even if the session has ended: a write that is stuck holds the stream.
      loop_.Cancel(write_timer_);
      delete this;
    });
  }

  void Send(const Directive& directive, const Outlook& outlook, Duration valid_for) {
    slots_[directive.gate] = ToProto(directive, outlook, valid_for);
    Pump();
  }
  void AskFullState() {
    wants_full_state_ = true;
    Pump();
  }
  void End(const absl::Status& why) {
    Leave();
    if (has_ended_) return;
    has_ended_ = true;
    Finish(ToGrpc(why));
  }

 private:
  void OnMessage() {
    if (has_ended_) return;
    const absl::Status status = Handle();
    if (!status.ok()) {
      End(status);
      return;
    }
    StartRead(&incoming_);
  }

  absl::Status Handle() {
    if (!allowance_.Take(conductor_.now())) {
      conductor_.CountFlood(agent_);
      return absl::ResourceExhaustedError(
          fmt::format("agent {} sends more than {} messages a second, the limit", agent_,
                      kMessagesPerSecondMax));
    }
    if (incoming_.ByteSizeLong() > kFrameBytesMax) {
      return absl::ResourceExhaustedError(fmt::format("a message of {} bytes, at most {}",
                                                      incoming_.ByteSizeLong(), kFrameBytesMax));
    }
    if (!is_known_ && !incoming_.has_hello()) {
      return absl::InvalidArgumentError("the first message of a session must be Hello");
    }
    switch (incoming_.kind_case()) {
      case v1::AgentMessage::kHello:
        return OnHello();
      case v1::AgentMessage::kReport: {
        absl::StatusOr<fleet::GateReport> report = FromProto(incoming_.report());
        if (!report.ok()) return report.status();
        conductor_.Report(agent_, link_.get(), *std::move(report));
        return absl::OkStatus();
      }
      case v1::AgentMessage::kCounters: {
        absl::StatusOr<fleet::CountersPush> push = FromProto(incoming_.counters());
        if (!push.ok()) return push.status();
        conductor_.Count(agent_, link_.get(), *push);
        return absl::OkStatus();
      }
      case v1::AgentMessage::KIND_NOT_SET:
        break;
    }
    // Of a newer agent: what we do not know we leave alone.
    return absl::OkStatus();
  }

  absl::Status OnHello() {
    absl::StatusOr<fleet::Hello> hello = FromProto(incoming_.hello());
    if (!hello.ok()) return hello.status();
    if (!is_known_) {
      v1::Welcome welcome;
      welcome.set_epoch(conductor_.state().epoch);
      welcome.set_agent(agent_);
      *welcome.mutable_push_every() =
          google::protobuf::util::TimeUtil::MillisecondsToDuration(kPushEvery.count());
      welcome_ = std::move(welcome);
    }
    is_known_ = true;
    absl::Status status = conductor_.Connect(agent_, link_, *std::move(hello));
    Pump();
    return status;
  }

  // Writes what is most urgent, if nothing is being written.
  void Pump() {
    if (is_writing_ || has_ended_) return;
    outgoing_.Clear();
    if (welcome_) {
      *outgoing_.mutable_welcome() = *std::move(welcome_);
      welcome_.reset();
    } else if (!slots_.empty()) {
      *outgoing_.mutable_directive() = std::move(slots_.begin()->second);
      slots_.erase(slots_.begin());
    } else if (wants_full_state_) {
      outgoing_.mutable_full_state_request();
      wants_full_state_ = false;
    } else {
      return;
    }
    is_writing_ = true;
    write_timer_ = loop_.After(kWriteMax, [this] { context_->TryCancel(); });
    StartWrite(&outgoing_);
  }

  void Leave() {
    link_->Cut();
    if (!is_known_) return;
    is_known_ = false;
    conductor_.Disconnect(agent_, link_.get());
  }

  Loop& loop_;
  conductor::Conductor& conductor_;
  grpc::CallbackServerContext* const context_;
  const std::string agent_;
  // Shared with the fleet, which may hold it for longer than gRPC keeps the stream.
  const std::shared_ptr<Link> link_;
  v1::AgentMessage incoming_;
  v1::ControllerMessage outgoing_;
  std::optional<v1::Welcome> welcome_;
  std::map<std::string, v1::Directive> slots_;
  Allowance allowance_;
  CertificateEnd certificate_end_;
  bool wants_full_state_ = false;
  bool is_writing_ = false;
  Loop::TimerId write_timer_ = 0;
  Loop::TimerId hello_timer_ = 0;
  bool is_known_ = false;
  bool has_ended_ = false;
};

void Link::Send(const Directive& directive, const Outlook& outlook, Duration valid_for) {
  if (session_ != nullptr) session_->Send(directive, outlook, valid_for);
}
void Link::AskFullState() {
  if (session_ != nullptr) session_->AskFullState();
}
void Link::Close(absl::Status why) {
  if (session_ != nullptr) session_->End(why);
}

// A caller who may not have a session.
class RefusedSession : public grpc::ServerBidiReactor<v1::AgentMessage, v1::ControllerMessage> {
 public:
  explicit RefusedSession(const absl::Status& why) { Finish(ToGrpc(why)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerBidiReactor<v1::AgentMessage, v1::ControllerMessage>* AgentService::Session(
    grpc::CallbackServerContext* context) {
  absl::StatusOr<tls::Identity> caller = CallerOf(*context, rules_);
  if (!caller.ok()) return new RefusedSession(caller.status());
  if (absl::Status status = CheckAgent(*caller); !status.ok()) return new RefusedSession(status);
  // gRPC owns a reactor until OnDone, which deletes it.
  return new AgentSession(loop_, conductor_, context, caller->name);
}

}  // namespace headgate::api
