#include "agents/core/session_stream.h"

#include <utility>

namespace headgate::agent {
namespace {

// As the controller reads it from an agent without a certificate.
constexpr char kPlaintextAgentKey[] = "headgate-agent";

}  // namespace

Stream::Stream(Parts parts, v1::AgentControl::Stub& stub, const std::string& plaintext_name)
    : parts_(std::move(parts)) {
  if (!plaintext_name.empty()) context_.AddMetadata(kPlaintextAgentKey, plaintext_name);
  stub.async()->Session(&context_, this);
  // Writes are started from outside of gRPC's reactions.
  AddHold();
  StartRead(&incoming_);
  StartCall();
  Pump();
}

Stream::~Stream() {
  context_.TryCancel();
  std::unique_lock lock(mutex_);
  done_changed_.wait(lock, [this] { return is_done_; });
}

bool Stream::NextMessage() {
  outgoing_.Clear();
  if (wants_hello_) {
    wants_hello_ = false;
    // Hello says everything: what has changed before is in it.
    changed_.clear();
    parts_.outbox.TakeChanged();
    *outgoing_.mutable_hello() = HelloFrom(parts_.self, parts_.outbox.All());
    return true;
  }
  if (!is_welcome_) return false;
  if (refusal_) {
    *outgoing_.mutable_report() = *std::move(refusal_);
    refusal_.reset();
    return true;
  }
  // The newest word of each gate: one that waited here is replaced.
  for (GateWord& word : parts_.outbox.TakeChanged()) {
    std::erase_if(changed_,
                  [&](const GateWord& old) { return old.standing.gate == word.standing.gate; });
    changed_.push_back(std::move(word));
  }
  if (!changed_.empty()) {
    *outgoing_.mutable_report() = ReportFrom(changed_.front());
    changed_.erase(changed_.begin());
    return true;
  }
  const auto now = Monotonic::now();
  // Each gate ticks for itself; half an interval apart they share one message.
  if (now - counted_at_ < parts_.push_every / 2 || !parts_.outbox.TakeCounted()) return false;
  counted_at_ = now;
  *outgoing_.mutable_counters() = CountersFrom(parts_.self, ++parts_.sequence, parts_.outbox.All());
  return true;
}

void Stream::Pump() {
  const std::lock_guard lock(mutex_);
  if (is_over_ || write_since_ || !NextMessage()) return;
  write_since_ = Monotonic::now();
  StartWrite(&outgoing_);
}

void Stream::OnWriteDone(bool ok) {
  {
    const std::lock_guard lock(mutex_);
    write_since_.reset();
  }
  // After a failed write the read fails too, and ends the stream.
  if (ok) Pump();
}

void Stream::OnReadDone(bool ok) {
  if (!ok) {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    RemoveHold();
    return;
  }
  switch (incoming_.kind_case()) {
    case v1::ControllerMessage::kWelcome: {
      const std::lock_guard lock(mutex_);
      is_welcome_ = true;
      break;
    }
    case v1::ControllerMessage::kDirective:
      if (std::optional<v1::Report> refusal = parts_.on_directive(incoming_.directive())) {
        const std::lock_guard lock(mutex_);
        refusal_ = std::move(refusal);
      }
      break;
    case v1::ControllerMessage::kFullStateRequest: {
      const std::lock_guard lock(mutex_);
      wants_hello_ = true;
      break;
    }
    case v1::ControllerMessage::KIND_NOT_SET:
      // Of a newer controller: what we do not know we leave alone.
      break;
  }
  if (incoming_.has_welcome()) parts_.on_welcome(incoming_.welcome());
  StartRead(&incoming_);
  Pump();
}

void Stream::OnDone(const grpc::Status& status) {
  const std::lock_guard lock(mutex_);
  is_over_ = true;
  is_done_ = true;
  status_ = status;
  // Under the lock: whoever waits may destroy this object as soon as it is released.
  done_changed_.notify_all();
}

bool Stream::WaitForEnd(Duration patience) {
  std::unique_lock lock(mutex_);
  return done_changed_.wait_for(lock, patience, [this] { return is_done_; });
}

bool Stream::is_welcome() const {
  const std::lock_guard lock(mutex_);
  return is_welcome_;
}

std::optional<Stream::Monotonic::time_point> Stream::write_since() const {
  const std::lock_guard lock(mutex_);
  return write_since_;
}

grpc::Status Stream::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace headgate::agent
