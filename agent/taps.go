package agent

import (
	"errors"

	"cassini/agent/taps"
	"cassini/bpf"
	"cassini/model"
)

// openTaps makes the part that hears of packet and raw sockets. The agent goes on without
// it.
func (a *Agent) openTaps(p *parts, kernel opened[*bpf.Taps]) tapProbe {
	if kernel.err != nil {
		a.cfg.Logger.Warn("packet and raw sockets are not captured", "error", kernel.err)
		return tapProbe{err: kernel.err}
	}
	p.taps = taps.New(taps.Config{
		Host: a.cfg.Host, Kernel: kernel.side, Processes: p.capture.Processes(), Emit: p.outbox.Put, Logger: a.cfg.Logger,
	})
	return tapsTold(kernel.side)
}

// tapProbe is what tells of packet and raw sockets, and what keeps it from telling more.
type tapProbe struct {
	there, rawOpened bool
	packet, raw      error
	err              error
}

func tapsTold(kernel *bpf.Taps) tapProbe {
	p := tapProbe{there: true, packet: kernel.Packet()}
	p.rawOpened, p.raw = kernel.Raw()
	return p
}

// probeTaps attaches what an agent would, for a moment.
func probeTaps() tapProbe {
	kernel, err := bpf.OpenTaps(nil)
	if err != nil {
		return tapProbe{err: err}
	}
	p := tapsTold(kernel)
	p.err = kernel.Close()
	return p
}

func tapHooks(p tapProbe) []model.Hook {
	packet := model.Hook{Fact: "packet sockets", Hook: "fexit: packet_create, packet_bind; fentry: packet_release; iter/task_file", First: true}
	raw := model.Hook{Fact: "raw IP sockets", Hook: "fexit: raw_hash_sk; fentry: raw_unhash_sk; iter/task_file", First: true}
	if !p.there {
		err := p.err
		if err == nil {
			err = errors.New("this kernel was not asked")
		}
		return []model.Hook{
			orLost(packet, err, "", "which programs hear every frame"),
			orLost(raw, err, "", "which programs hear IP protocols without ports"),
		}
	}
	instead, lost := "iter/task_file", "when one was opened and closed, and those in between: they are learnt when somebody asks"
	if p.rawOpened {
		instead, lost = "cgroup v2 root: sock_create; iter/task_file", "when one was closed: it is learnt a second after it was opened, and when somebody asks"
	}
	return []model.Hook{
		orLost(packet, p.packet, "iter/task_file, when an interface becomes promiscuous", "when one was opened and closed, and those in between: they are learnt when somebody asks"),
		orLost(raw, p.raw, instead, lost),
	}
}
