package agent

import (
	"context"
	"errors"
	"slices"

	"cassini/agent/modules"
	"cassini/bpf"
	"cassini/model"
)

// captureSCTP begins with SCTP where the kernel has it, and otherwise hears when it is
// loaded. The waiter is nil where there is nothing to wait for; it is the caller's.
func (a *Agent) captureSCTP(ctx context.Context, p *parts) *modules.Waiter {
	waiter, err := modules.Hear(bpf.SCTPModule) // before we look
	if err != nil {
		a.cfg.Logger.Warn("SCTP is not captured if it is loaded later", "error", err)
	}
	if waiter != nil && !a.openSCTP(ctx, p) {
		return waiter
	}
	if waiter != nil {
		_ = waiter.Close() // nothing was written
	}
	return nil
}

// openSCTP reports whether it need not be tried again.
func (a *Agent) openSCTP(ctx context.Context, p *parts) bool {
	err := p.capture.OpenSCTP(ctx)
	if errors.Is(err, bpf.ErrNoSCTP) {
		return false
	}
	if err != nil && ctx.Err() == nil {
		a.cfg.Logger.Warn("SCTP services and clients are not captured", "error", err)
	}
	probe := sctpProbe{captured: err}
	probe.traffic, probe.accepts = p.capture.SCTP()
	if missing := errors.Join(probe.traffic, probe.accepts); err == nil && missing != nil {
		a.cfg.Logger.Warn("some of SCTP is not captured", "error", missing)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	hooks := slices.Clone(a.hooks) // others may be reading these
	for _, of := range sctpHooks(probe, nil) {
		if i := slices.IndexFunc(hooks, func(h model.Hook) bool { return h.Fact == of.Fact }); i >= 0 {
			hooks[i] = of
		}
	}
	a.hooks = hooks
	return true
}

// awaitSCTP begins with SCTP when the kernel loads it.
func (a *Agent) awaitSCTP(ctx context.Context, p *parts, waiter *modules.Waiter) {
	defer func() { _ = waiter.Close() }()
	for {
		if err := waiter.Wait(ctx); err != nil {
			if ctx.Err() == nil {
				a.cfg.Logger.Warn("SCTP is not captured if it is loaded later", "error", err)
			}
			return
		}
		if a.openSCTP(ctx, p) {
			return
		}
	}
}

// sctpProbe is what keeps SCTP, or a part of what is told of it, away; nil where nothing does.
type sctpProbe struct{ captured, traffic, accepts error }

// probeSCTP attaches what tells of SCTP for a moment.
func probeSCTP(ctx context.Context, kernel *bpf.TCP) sctpProbe {
	return sctpProbe{captured: kernel.OpenSCTP(ctx), traffic: kernel.SCTPTraffic(), accepts: probeSCTPAccepts()}
}

func probeSCTPAccepts() error {
	accepts, err := bpf.OpenAccepts(nil)
	if err != nil {
		return err
	}
	return errors.Join(accepts.OpenSCTP(), accepts.Close())
}

// sctpHooks say what serves SCTP, trampolines whether the kernel refuses these.
func sctpHooks(p sctpProbe, trampolines error) []model.Hook {
	if p.captured != nil {
		p.traffic, p.accepts = p.captured, p.captured
	}
	return []model.Hook{
		sctpHook("sctp listen, associations", "fexit/sctp_hash_endpoint, security_sctp_assoc_established; fentry/sctp_unhash_endpoint, sctp_endpoint_add_asoc, sctp_association_free",
			"SCTP services and their clients", p.captured, trampolines),
		sctpHook("bytes and RTT of SCTP associations", "fentry/sctp_chunk_assign_tsn; fexit/sctp_ulpevent_make_rcvmsg, sctp_outq_sack; iter/bpf_map_elem over open associations",
			"how much SCTP services and their clients move", p.traffic, trampolines),
		sctpHook("sctp accept, by process", "fexit/sctp_accept", "which worker accepted: the listener's owner is charged", p.accepts, trampolines),
	}
}

func sctpHook(fact, at, lost string, err, trampolines error) model.Hook {
	hook := model.Hook{Fact: fact, Hook: at, First: true}
	if errors.Is(err, bpf.ErrNoSCTP) { // nothing is lost so far
		const none = "none yet, as the kernel has not loaded SCTP"
		hook.Hook = none + "; when it does: " + hook.Hook
		return orLost(hook, trampolines, none, lost+", if the kernel loads SCTP")
	}
	return orLost(hook, err, "", lost)
}
