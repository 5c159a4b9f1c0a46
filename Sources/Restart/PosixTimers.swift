// SPDX-License-Identifier: Apache-2.0
import Architecture
import Engine
import Linux
import Request
import Snapshot

extension Rebuilder {
  /// Timers of timer_create(2), with their old ids and the time that was left; from here on they count.
  func startPosixTimers<E: Engine & ~Copyable>(
    _ index: Int, by engine: inout E
  ) throws(Failure) {
    let timers = snapshot.processes[index].posixTimers.sorted { $0.id < $1.id }
    if timers.isEmpty { return }
    let remote = remote(index)
    let chooses = try choosesTimerIDs(true, remote, by: &engine)
    for timer in timers {
      try create(timer, index, chooses: chooses, by: &engine)
      try start(timer, remote, by: &engine)
    }
    if chooses { _ = try choosesTimerIDs(false, remote, by: &engine) }
  }

  /// PR_TIMER_CREATE_RESTORE_IDS, Linux 6.15: whether the kernel takes the ids we want.
  private func choosesTimerIDs<E: Engine & ~Copyable>(
    _ isOn: Bool, _ remote: Remote, by engine: inout E
  ) throws(Failure) -> Bool {
    let outcome = try remote.outcome(.prctl, [77, isOn ? 1 : 0], by: &engine)
    if case .success = outcome { return true }
    return false
  }

  /// An older kernel counts ids up, so those in between are made and deleted again.
  private func create<E: Engine & ~Copyable>(
    _ timer: PosixTimer, _ index: Int, chooses: Bool, by engine: inout E
  ) throws(Failure) {
    let remote = remote(index)
    let place = remote.scratch.start + 128
    // 64 bytes on every machine.
    var event = TargetStructure(for: remote.machine)
    event.word(timer.value)
    event.int32(UInt32(bitPattern: timer.signal))
    event.int32(UInt32(bitPattern: timer.notify))
    event.int32(UInt32(bitPattern: present(timer.thread, index).rawValue))
    _ = try remote.put(event.bytes + [UInt8](repeating: 0, count: 64), by: &engine)
    let clock = UInt64(bitPattern: Int64(present(timer.clock, index)))
    let maker = timer.thread.rawValue == 0 ? remote.id.leader : present(timer.thread, index)
    for _ in 0 ... max(0, timer.id) {
      var wanted = TargetStructure(for: remote.machine)
      wanted.int32(UInt32(bitPattern: timer.id))
      _ = try remote.put(wanted.bytes, at: 128, by: &engine)
      let outcome = try engaging { () throws(EngineError) in
        try engine.call(
          .timerCreate, Remote.six([clock, remote.scratch.start, place]), in: maker)
      }
      if case .failure(let errno) = outcome {
        throw Failure("make a POSIX timer", remote.id, remote.name, errno)
      }
      let bytes = try engaging { () throws(EngineError) in
        try engine.read(MemoryRange(start: place, count: 4), of: remote.id)
      }
      let made = Int32(bitPattern: TargetFields(bytes, remote.machine).int32(at: 0))
      if made == timer.id { return }
      if chooses || made > timer.id { break }
      try remote.call(
        "delete a POSIX timer", .timerDelete, [UInt64(UInt32(bitPattern: made))], by: &engine)
    }
    throw Failure("give a POSIX timer its id", remote.id, remote.name, .busy)
  }

  private func start<E: Engine & ~Copyable>(
    _ timer: PosixTimer, _ remote: Remote, by engine: inout E
  ) throws(Failure) {
    if timer.remaining == 0 && timer.interval == 0 { return }
    var fields = TargetStructure(for: remote.machine)
    // As for interval timers: 0 would switch off one that has just rung.
    for time in [timer.interval, max(timer.remaining, 1)] {
      fields.word(time / 1_000_000_000)
      fields.word(time % 1_000_000_000)
    }
    let address = try remote.put(fields.bytes, by: &engine)
    try remote.call(
      "start a POSIX timer", .timerSettime, [UInt64(timer.id), 0, address, 0], by: &engine)
  }

  /// The id that a thread of the job has now.
  private func present(_ thread: ThreadID, _ index: Int) -> ThreadID {
    let threads = snapshot.processes[index].threads
    guard let place = threads.firstIndex(where: { $0.id == thread }) else { return thread }
    return members[index].threads[place]
  }

  private func present(_ clock: Int32, _ index: Int) -> Int32 {
    guard let task = ClockID.task(of: clock), task.id != 0 else { return clock }
    if task.isThread {
      return ClockID.clock(clock, ofTask: present(ThreadID(task.id), index).rawValue)
    }
    guard let owner = snapshot.processes.firstIndex(where: { $0.id == ProcessID(task.id) }) else {
      return clock
    }
    return ClockID.clock(clock, ofTask: members[owner].id.rawValue)
  }
}
