package agent

import (
	"errors"

	"cassini/agent/local"
	"cassini/bpf"
	"cassini/model"
)

// errWithoutUnix says that nobody wants Unix-domain sockets to be captured.
var errWithoutUnix = errors.New("--unix=false leaves Unix-domain sockets alone")

// openUnix opens the kernel side of Unix-domain sockets, where that is wanted.
func (a *Agent) openUnix(types *bpf.Types) (*bpf.Unix, error) {
	if a.cfg.WithoutUnix {
		return nil, errWithoutUnix
	}
	return bpf.OpenUnix(bpf.UnixLimits{Types: types, Bytes: a.cfg.UnixBytes})
}

// openLocal makes the part that captures Unix-domain sockets. The agent goes on without
// it.
func (a *Agent) openLocal(p *parts, kernel opened[*bpf.Unix]) unixProbe {
	if kernel.err != nil {
		if !a.cfg.WithoutUnix {
			a.cfg.Logger.Warn("Unix-domain sockets are not captured", "error", kernel.err)
		}
		return unixProbe{err: kernel.err, bytes: bpf.ErrWithoutUnixBytes}
	}
	p.local = local.New(local.Config{
		Host: a.cfg.Host, Kernel: kernel.side, Processes: p.capture.Processes(), Emit: p.outbox.Put, Logger: a.cfg.Logger,
	})
	hook, worse := kernel.side.Hook()
	probe := unixProbe{hook: hook, err: worse, bytes: kernel.side.Bytes()}
	if a.cfg.UnixBytes && probe.bytes != nil {
		a.cfg.Logger.Warn("bytes over Unix-domain sockets are not counted", "error", probe.bytes)
	}
	return probe
}

// unixProbe is what tells of Unix-domain sockets, and what keeps a better hook, or all of
// them, from doing so.
type unixProbe struct {
	hook       bpf.UnixHook
	err, bytes error
}

// probeUnix attaches what an agent would, for a moment.
func probeUnix() unixProbe {
	kernel, err := bpf.OpenUnix(bpf.UnixLimits{Bytes: true})
	if err != nil {
		return unixProbe{err: err, bytes: err}
	}
	hook, worse := kernel.Hook()
	return unixProbe{hook, errors.Join(worse, kernel.Close()), kernel.Bytes()}
}

// unixHooks lists what serves Unix-domain sockets; what they move only where that is wanted.
func unixHooks(p unixProbe) []model.Hook {
	hooks := []model.Hook{unixHook(p)}
	if errors.Is(p.bytes, bpf.ErrWithoutUnixBytes) {
		return hooks
	}
	bytes := model.Hook{Fact: "bytes over Unix-domain sockets (--unix-bytes)", Hook: "fexit: unix_stream_sendmsg, unix_stream_recvmsg and their like", First: true}
	if p.hook == bpf.UnixByCgroup {
		bytes.Hook, bytes.First = "tp_btf: sock_send_length, sock_recv_length", false
		bytes.Reason = "trampolines are refused"
		bytes.Lost = "nothing; messages of all other sockets pass these programs too"
	}
	return append(hooks, orLost(bytes, p.bytes, "", "how much services on Unix-domain sockets and their clients move"))
}

func unixHook(p unixProbe) model.Hook {
	h := model.Hook{Fact: "connects to Unix-domain sockets, and who serves them", Lost: "when a socket began to listen: it is learnt when somebody dials it or asks"}
	switch p.hook {
	case bpf.UnixByTrampoline:
		return model.Hook{Fact: h.Fact, Hook: "fexit: unix_stream_connect, unix_dgram_connect, unix_dgram_sendmsg, unix_listen; iter/task_file", First: true}
	case bpf.UnixByCgroup:
		h.Hook = "cgroup v2 root: connect_unix, sendmsg_unix; iter/task_file"
	default:
		h.Lost = "services and dependencies over Unix-domain sockets"
	}
	if h.Reason = "this kernel was not asked"; p.err != nil {
		h.Reason = reason(p.err)
	}
	return h
}
