package graph

import (
	"hash/maphash"
	"net/netip"
)

// addressTable is all addresses, by themselves.
type addressTable struct {
	seed maphash.Seed
	numbered[address]
}

func newAddresses() addressTable { return addressTable{seed: maphash.MakeSeed()} }

// of is what is known of an address, or nil.
func (all *addressTable) of(addr netip.Addr) *address {
	return all.get(maphash.Comparable(all.seed, addr), func(a *address) bool { return a.Addr == addr })
}

func (all *addressTable) keep(a *address) { all.put(maphash.Comparable(all.seed, a.Addr), a) }

func (all *addressTable) forget(a *address) { all.remove(maphash.Comparable(all.seed, a.Addr), a) }

// serviceTable is all services, by their identifiers.
type serviceTable struct {
	seed maphash.Seed
	numbered[service]
}

func newServices() serviceTable { return serviceTable{seed: maphash.MakeSeed()} }

// named is the service of an identifier, or nil.
func (all *serviceTable) named(id string) *service {
	return all.get(maphash.String(all.seed, id), func(s *service) bool { return s.id == id })
}

// spelled is the same of an identifier that is no text, which takes no memory.
func (all *serviceTable) spelled(id []byte) *service {
	return all.get(maphash.Bytes(all.seed, id), func(s *service) bool { return s.id == string(id) })
}

func (all *serviceTable) keep(s *service) { all.put(maphash.String(all.seed, s.id), s) }

func (all *serviceTable) forget(s *service) { all.remove(maphash.String(all.seed, s.id), s) }
