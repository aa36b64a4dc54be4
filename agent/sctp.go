package agent

import (
	"context"
	"errors"
	"slices"

	"cassini/agent/modules"
	"cassini/bpf"
	"cassini/model"
)

// factSCTP is what doctor says of SCTP's hooks.
const factSCTP = "sctp listen, associations"

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
	a.mu.Lock()
	defer a.mu.Unlock()
	hooks := slices.Clone(a.hooks) // others may be reading these
	for i, h := range hooks {
		if h.Fact == factSCTP {
			hooks[i] = sctpHook(err, nil)
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

// sctpHook says what serves SCTP: err is what OpenSCTP said, trampolines whether the kernel
// refuses these.
func sctpHook(err, trampolines error) model.Hook {
	hook := model.Hook{Fact: factSCTP, Hook: "fexit/sctp_hash_endpoint, security_sctp_assoc_established; fentry/sctp_unhash_endpoint, sctp_endpoint_add_asoc, sctp_association_free", First: true}
	if errors.Is(err, bpf.ErrNoSCTP) { // nothing is lost so far
		const none = "none yet, as the kernel has not loaded SCTP"
		hook.Hook = none + "; when it does: " + hook.Hook
		return orLost(hook, trampolines, none, "SCTP services and their clients, if the kernel loads SCTP")
	}
	return orLost(hook, err, "", "SCTP services and their clients")
}
