package bpf

import (
	"context"
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// initTgid is init's: whoever else holds a listener is its owner rather (better_owner in
// shareholders.h).
const initTgid = 1

// Holders finds anew whose listeners are, as Bootstrap does: the oldest process that holds
// one, but not init. Those that nobody else holds stay whose they were. Connections from
// then on are the new owner's. Read the result with Listeners.
func (t *TCP) Holders(ctx context.Context, cookies []uint64, eachNetns func(func() error) error) (err error) {
	objs, err := t.loadBootstrap()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, objs.Close()) }()
	defer func() { t.types = nil }()
	before := make(map[uint64]Listener, len(cookies))
	for _, cookie := range cookies {
		was, err := t.setOwner(cookie, Owner{Tgid: initTgid}, 1)
		if err != nil {
			return err
		}
		if was != nil {
			before[cookie] = *was
		}
	}
	scanned := objs.pass(ctx, passListeners, eachNetns)
	for cookie, was := range before {
		var now Listener
		if err := t.objs.Listeners.Lookup(&cookie, &now); err == nil && now.Owner.StartNs != 0 {
			continue
		}
		if _, err := t.setOwner(cookie, was.Owner, was.Scanned); err != nil {
			return errors.Join(scanned, err)
		}
	}
	return scanned
}

// setOwner changes whose a listener is, and returns what stood there; nil where it has ended.
func (t *TCP) setOwner(cookie uint64, owner Owner, scanned uint8) (*Listener, error) {
	var was Listener
	err := t.objs.Listeners.Lookup(&cookie, &was)
	if err == nil {
		now := was
		now.Owner, now.Scanned = owner, scanned
		err = t.objs.Listeners.Update(&cookie, &now, ebpf.UpdateExist)
	}
	switch {
	case errors.Is(err, ebpf.ErrKeyNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("change the owner of a listener: %w", err)
	}
	return &was, nil
}
