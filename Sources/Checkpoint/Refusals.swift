// SPDX-License-Identifier: Apache-2.0
import Linux
import Request
import Snapshot

extension Collector {
  /// A descriptor that cannot be carried; `words` follow "descriptor 3".
  ///
  /// - Parameters:
  ///   - index: in `Snapshot.openFiles`, if it is there already.
  ///   - isFinal: nobody is at work on it, so the message does not say "yet".
  mutating func refuse(
    _ seen: SeenDescriptor, _ words: ByteString, dropping index: Int? = nil, isFinal: Bool = false
  ) {
    guard skipsUnsupported else {
      problems.add(
        "\(seen.name) \(words)" + (isFinal ? "" : ": not supported yet")
          + "; close it first, or use --skip-unsupported")
      return
    }
    if let index, !dropped.insert(index).inserted { return }
    warnings.append("\(seen.name) \(words): left out, it will be closed in the restored program")
  }

  /// Takes the open files out that were refused after they had got their place.
  mutating func dropRefused() {
    if dropped.isEmpty { return }
    var places: [Int?] = []
    var kept: [OpenFile] = []
    for (index, file) in snapshot.openFiles.enumerated() {
      places.append(dropped.contains(index) ? nil : kept.count)
      if !dropped.contains(index) { kept.append(file) }
    }
    for index in kept.indices { kept[index].renumber(places) }
    snapshot.openFiles = kept
    for index in snapshot.processes.indices {
      snapshot.processes[index].descriptors = snapshot.processes[index].descriptors.compactMap {
        guard let place = places[$0.openFile] else { return nil }
        var descriptor = $0
        descriptor.openFile = place
        return descriptor
      }
    }
  }
}

extension OpenFile {
  /// Follows other open files to their new places; nil is one that was taken out.
  fileprivate mutating func renumber(_ places: [Int?]) {
    switch kind {
    case .deleted(var file):
      // Never taken out itself.
      file.sameFileAs = file.sameFileAs.flatMap { places[$0] }
      kind = .deleted(file)
    case .epoll(let entries):
      kind = .epoll(
        entries.compactMap {
          guard let place = places[$0.openFile] else { return nil }
          var entry = $0
          entry.openFile = place
          return entry
        })
    case .socket(var socket):
      if let peer = socket.peer {
        socket.peer = places[peer]
        socket.isPeerGone = socket.peer == nil
      }
      socket.waiting = socket.waiting.compactMap { places[$0] }
      for place in socket.messages.indices {
        socket.messages[place].descriptors = socket.messages[place].descriptors.compactMap { places[$0] }
      }
      kind = .socket(socket)
    default: break
    }
  }
}

extension SeenDescriptor {
  /// Objects of the kernel that hold what it tells nobody, and what a program could do about it.
  var refusal: (words: ByteString, isFinal: Bool) {
    let kinds: [(StaticString, StaticString)] = [
      ("[fanotify]", "a fanotify group, whose marks only the kernel knows"),
      ("[perf_event]", "a performance counter (perf_event), whose count cannot be set"),
      ("bpf-map", "a bpf map, which is the kernel's"),
      ("bpf-prog", "a bpf program, which is the kernel's"),
      ("bpf_link", "a bpf link, which is the kernel's"),
      ("btf", "bpf type information (btf), which is the kernel's"),
      ("[io_uring]", "an io_uring, with requests that may be under way in the kernel"),
      ("[userfaultfd]", "a userfaultfd, with page faults that it may be to answer"),
      ("kvm-", "a KVM virtual machine, whose state is in the kernel"),
      ("seccomp notify", "a seccomp listener, with calls that it may be to answer"),
    ]
    let name = target.dropFirst(ByteString("anon_inode:").count)
    for (prefix, words) in kinds where name.hasPrefix(ByteString(prefix)) {
      return ("is \(words)", true)
    }
    return ("is \(kernelObjectName)", false)
  }
}
