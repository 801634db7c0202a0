#include "tests/cli/fake_controller.h"

#include <fmt/format.h>

#include <chrono>

#include "controller/plan/plan.h"
#include "tests/cli/gates.h"

namespace headgate::cli {
namespace {

using namespace std::chrono_literals;

grpc::Status Refuse(grpc::StatusCode code, const std::string& why) { return {code, why}; }

}  // namespace

FakeController::FakeController() {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  address_ = fmt::format("127.0.0.1:{}", port);
}

FakeController::~FakeController() { Kill(); }

void FakeController::Start() {
  {
    const std::lock_guard lock(mutex_);
    is_killed_ = hangs_mutations_ = hangs_streams_ = false;
  }
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

void FakeController::Move(const std::string& address,
                          const std::shared_ptr<grpc::ServerCredentials>& credentials) {
  Kill();
  {
    const std::lock_guard lock(mutex_);
    is_killed_ = false;
  }
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, credentials, &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  address_ = address.rfind("unix:", 0) == 0 ? address.substr(5) : fmt::format("127.0.0.1:{}", port);
}

void FakeController::Kill() {
  if (server_ == nullptr) return;
  {
    const std::lock_guard lock(mutex_);
    is_killed_ = true;
    changed_.notify_all();
  }
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_.reset();
}

void FakeController::Change(const std::string& gate, const std::function<void(v1::Gate&)>& change) {
  const std::lock_guard lock(mutex_);
  v1::Gate& changed = gates_[gate];
  changed.set_name(gate);
  change(changed);
  changed.mutable_version()->set_revision(changed.version().revision() + 1);
  changed_.notify_all();
}

v1::Gate FakeController::gate(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return gates_[name];
}

v1::Mutation FakeController::last_mutation() {
  const std::lock_guard lock(mutex_);
  return last_mutation_;
}

int FakeController::mutations() {
  const std::lock_guard lock(mutex_);
  return mutations_;
}

void FakeController::WaitForStreams(int count) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, 10s, [&] { return streams_ >= count; })) std::abort();
}

void FakeController::AnswerWith(grpc::Status status) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(status);
}
void FakeController::HangMutations() {
  const std::lock_guard lock(mutex_);
  hangs_mutations_ = true;
}
void FakeController::HangStreams() {
  const std::lock_guard lock(mutex_);
  hangs_streams_ = true;
}
void FakeController::RefusePreflight(const std::string& why) {
  const std::lock_guard lock(mutex_);
  preflight_refusal_ = why;
}
void FakeController::Disobey(const std::string& agent, const std::string& why) {
  const std::lock_guard lock(mutex_);
  disobedient_[agent] = why;
}
void FakeController::RecordLate() {
  const std::lock_guard lock(mutex_);
  records_late_ = true;
}
void FakeController::FailJournal() {
  const std::lock_guard lock(mutex_);
  has_failed_journal_ = true;
}

grpc::Status FakeController::Carry(grpc::ServerContext* context, const Asked& asked,
                                   const std::function<grpc::Status(v1::Gate&)>& change,
                                   v1::Outcome* response) {
  std::unique_lock lock(mutex_);
  ++mutations_;
  last_mutation_ = asked.mutation;
  if (!answer_.ok()) return answer_;
  const std::string& id = asked.mutation.request_id();
  if (const auto done = done_.find(id); done != done_.end()) {
    *response = done->second;
    response->set_repeated(true);
    return grpc::Status::OK;
  }
  const auto found = gates_.find(asked.gate);
  if (found == gates_.end()) {
    return Refuse(grpc::StatusCode::NOT_FOUND, "there is no gate " + asked.gate);
  }
  v1::Gate gate = found->second;
  const std::uint64_t expected = asked.mutation.expected_revision();
  if (asked.is_raise && expected != 0 && expected != gate.version().revision()) {
    return Refuse(grpc::StatusCode::ABORTED, fmt::format("revision {} was expected, {} is there",
                                                         expected, gate.version().revision()));
  }
  if (asked.is_raise && has_failed_journal_) {
    return Refuse(grpc::StatusCode::UNAVAILABLE, "the journal cannot record: disk full");
  }
  if (const grpc::Status status = change(gate); !status.ok()) return status;
  gate.mutable_version()->set_revision(gate.version().revision() + 1);
  gate.set_recorded(!has_failed_journal_);
  *response->mutable_gate() = gate;
  response->set_summary((asked.mutation.dry_run() ? "dry run, nothing changed: " : "") +
                        std::string(asked.summary));
  if (records_late_) gate.set_recorded(false);
  response->set_recorded(gate.recorded());
  if (asked.mutation.dry_run()) return grpc::Status::OK;
  if (asked.mutation.wait_for() == v1::WAIT_OBSERVED) {
    for (const auto& [agent, why] : disobedient_) {
      v1::Unconfirmed& unconfirmed = *response->add_unconfirmed();
      unconfirmed.set_agent(agent);
      unconfirmed.set_why(why);
    }
  }
  found->second = gate;
  if (!id.empty()) done_[id] = *response;
  v1::TimelineEntry entry;
  entry.mutable_record()->set_at_unix_ms(kTestNow * 1'000);
  entry.set_text("18:00:00 " + asked.summary);
  entry.mutable_record()->mutable_gate_changed()->mutable_cause()->set_what(asked.summary);
  timeline_.push_back(entry);
  changed_.notify_all();
  while (hangs_mutations_ && !context->IsCancelled()) changed_.wait_for(lock, 20ms);
  return grpc::Status::OK;
}

grpc::Status FakeController::GetController(grpc::ServerContext*, const v1::GetControllerRequest*,
                                           v1::Controller* response) {
  const std::lock_guard lock(mutex_);
  response->set_software_version("0.1.0");
  response->set_epoch(7);
  if (has_failed_journal_) response->set_journal_trouble("disk full");
  return answer_;
}

grpc::Status FakeController::ListGates(grpc::ServerContext*, const v1::ListGatesRequest*,
                                       v1::ListGatesResponse* response) {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, gate] : gates_) *response->add_gates() = gate;
  return answer_;
}

grpc::Status FakeController::GetGate(grpc::ServerContext*, const v1::GetGateRequest* request,
                                     v1::Gate* response) {
  on_question();
  const std::lock_guard lock(mutex_);
  if (!answer_.ok()) return answer_;
  const auto found = gates_.find(request->gate());
  if (found == gates_.end()) {
    return Refuse(grpc::StatusCode::NOT_FOUND, "there is no gate " + request->gate());
  }
  *response = found->second;
  return grpc::Status::OK;
}

grpc::Status FakeController::WatchGate(grpc::ServerContext* context,
                                       const v1::GetGateRequest* request,
                                       grpc::ServerWriter<v1::Gate>* writer) {
  std::unique_lock lock(mutex_);
  if (!answer_.ok()) return answer_;
  if (gates_.count(request->gate()) == 0) {
    return Refuse(grpc::StatusCode::NOT_FOUND, "there is no gate " + request->gate());
  }
  ++streams_;
  changed_.notify_all();
  while (!is_killed_ && !context->IsCancelled()) {
    if (!hangs_streams_) {
      const v1::Gate gate = gates_[request->gate()];
      lock.unlock();
      const bool written = writer->Write(gate);
      lock.lock();
      if (!written) break;
    }
    changed_.wait_for(lock, 50ms);
  }
  return Refuse(grpc::StatusCode::UNAVAILABLE, "the controller ends");
}

grpc::Status FakeController::ListTimeline(grpc::ServerContext*, const v1::ListTimelineRequest*,
                                          v1::ListTimelineResponse* response) {
  const std::lock_guard lock(mutex_);
  for (const v1::TimelineEntry& entry : timeline_) *response->add_entries() = entry;
  return answer_;
}

grpc::Status FakeController::CreateGate(grpc::ServerContext* context,
                                        const v1::CreateGateRequest* request,
                                        v1::Outcome* response) {
  {
    const std::lock_guard lock(mutex_);
    if (!gates_.emplace(request->gate(), v1::Gate()).second &&
        done_.count(request->mutation().request_id()) == 0) {
      return Refuse(grpc::StatusCode::ALREADY_EXISTS, "there is a gate " + request->gate());
    }
  }
  return Carry(
      context, {request->mutation(), request->gate(), true, "created"},
      [&](v1::Gate& gate) {
        gate.set_name(request->gate());
        gate.set_share_ppm(request->share_ppm());
        return grpc::Status::OK;
      },
      response);
}

grpc::Status FakeController::CloseGate(grpc::ServerContext* context, const v1::GateRequest* request,
                                       v1::Outcome* response) {
  return Carry(
      context, {request->mutation(), request->gate(), false, "closed"},
      [](v1::Gate& gate) {
        gate.set_share_ppm(0);
        return grpc::Status::OK;
      },
      response);
}

grpc::Status FakeController::OpenGate(grpc::ServerContext* context,
                                      const v1::OpenGateRequest* request, v1::Outcome* response) {
  return Carry(
      context, {request->mutation(), request->gate(), true, "open"},
      [&](v1::Gate& gate) {
        gate.set_share_ppm(1'000'000);
        gate.mutable_open_until()->set_seconds(kTestNow + request->duration().seconds());
        return grpc::Status::OK;
      },
      response);
}

grpc::Status FakeController::StartRestoration(grpc::ServerContext* context,
                                              const v1::StartRestorationRequest* request,
                                              v1::Outcome* response) {
  const auto plan = plan::LoadPlan(request->plan_yaml(), request->file_name(), nullptr,
                                   plan::SentAlong(request->expected()));
  if (!plan.ok()) {
    return Refuse(grpc::StatusCode::INVALID_ARGUMENT, std::string(plan.status().message()));
  }
  const bool is_dry = request->mutation().dry_run();
  std::string summary = "shop-1 started";
  if (is_dry) {
    const std::lock_guard lock(mutex_);
    summary = "restoration shop-1 would be in preflight, and wait for: " +
              (preflight_refusal_.empty() ? "" : preflight_refusal_ + "; ") +
              "its checks, which are read once it has started";
  }
  return Carry(
      context, {request->mutation(), plan->spec().gate, true, summary},
      [&](v1::Gate& gate) {
        if (!is_dry && !preflight_refusal_.empty() && !request->when_ready()) {
          return Refuse(grpc::StatusCode::FAILED_PRECONDITION, preflight_refusal_);
        }
        gate.mutable_restoration()->set_id("shop-1");
        gate.mutable_restoration()->set_phase(v1::PHASE_PREFLIGHT);
        return grpc::Status::OK;
      },
      response);
}

grpc::Status FakeController::HoldRestoration(grpc::ServerContext* context,
                                             const v1::GateRequest* request,
                                             v1::Outcome* response) {
  return Carry(
      context, {request->mutation(), request->gate(), false, "holding"},
      [](v1::Gate& gate) {
        gate.mutable_restoration()->set_phase(v1::PHASE_HOLDING);
        return grpc::Status::OK;
      },
      response);
}

grpc::Status FakeController::ResumeRestoration(grpc::ServerContext* context,
                                               const v1::GateRequest* request,
                                               v1::Outcome* response) {
  return Carry(
      context, {request->mutation(), request->gate(), true, "resumed"},
      [](v1::Gate& gate) {
        gate.mutable_restoration()->set_phase(v1::PHASE_ADMITTING);
        return grpc::Status::OK;
      },
      response);
}

grpc::Status FakeController::AdvanceRestoration(grpc::ServerContext* context,
                                                const v1::GateRequest* request,
                                                v1::Outcome* response) {
  return Carry(
      context, {request->mutation(), request->gate(), true, "advanced"},
      [](v1::Gate& gate) {
        gate.set_share_ppm(gate.share_ppm() * 2);
        return grpc::Status::OK;
      },
      response);
}

grpc::Status FakeController::RetreatRestoration(grpc::ServerContext* context,
                                                const v1::RetreatRequest* request,
                                                v1::Outcome* response) {
  return Carry(
      context, {request->mutation(), request->gate(), false, "retreated"},
      [&](v1::Gate& gate) {
        gate.set_share_ppm(request->has_to_ppm() ? request->to_ppm() : 10'000);
        return grpc::Status::OK;
      },
      response);
}

grpc::Status FakeController::AbortRestoration(grpc::ServerContext* context,
                                              const v1::RetreatRequest* request,
                                              v1::Outcome* response) {
  return Carry(
      context, {request->mutation(), request->gate(), false, "aborted"},
      [&](v1::Gate& gate) {
        if (request->has_to_ppm()) gate.set_share_ppm(request->to_ppm());
        gate.mutable_restoration()->set_phase(v1::PHASE_ABORTED);
        return grpc::Status::OK;
      },
      response);
}

grpc::Status FakeController::ApproveStep(grpc::ServerContext* context,
                                         const v1::GateRequest* request, v1::Outcome* response) {
  return Carry(
      context, {request->mutation(), request->gate(), true, "approved"},
      [](v1::Gate& gate) {
        gate.mutable_restoration()->set_phase(v1::PHASE_ADMITTING);
        return grpc::Status::OK;
      },
      response);
}

grpc::Status FakeController::RemoveAgent(grpc::ServerContext* context,
                                         const v1::RemoveAgentRequest* request,
                                         v1::Outcome* response) {
  return Carry(
      context, {request->mutation(), request->gate(), false, "removed"},
      [&](v1::Gate& gate) {
        for (int i = 0; i < gate.agents_size(); ++i) {
          if (gate.agents(i).name() != request->agent()) continue;
          gate.mutable_agents()->DeleteSubrange(i, 1);
          return grpc::Status::OK;
        }
        return Refuse(grpc::StatusCode::NOT_FOUND, "there is no agent " + request->agent());
      },
      response);
}

}  // namespace headgate::cli
