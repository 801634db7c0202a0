#include "agents/endpoint/follower.h"

#include <utility>

#include "agents/core/files.h"

namespace headgate::endpoint {

Follower::Follower(std::string path, Admission& admission)
    : path_(std::move(path)), admission_(admission), thread_([this] { Run(); }) {}

Follower::~Follower() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Follower::Run() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    lock.unlock();
    Look();
    lock.lock();
    wake_.wait_for(lock, kEvery, [this] { return stopped_; });
  }
}

void Follower::Look() {
  // Seen first: what the keeper sets meanwhile is newer than the file that is read here.
  const agent::ShareFile seen = admission_.share();
  const auto text = agent::ReadSmallFile(path_);
  if (!text.ok() || text->find(agent::kWidthEntry) == std::string::npos) return;
  const auto told = agent::ParseShareFile(*text);
  if (told.ok()) admission_.LowerFrom(seen, told->width);
}

}  // namespace headgate::endpoint
