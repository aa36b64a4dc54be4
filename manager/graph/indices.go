package graph

import (
	"hash/maphash"
	"net/netip"

	"cassini/manager/table"
)

// addressTable is all addresses, by themselves.
type addressTable struct {
	seed maphash.Seed
	table.Table[*address]
}

func newAddresses() addressTable { return addressTable{seed: maphash.MakeSeed()} }

// of is what is known of an address, or nil.
func (all *addressTable) of(addr netip.Addr) *address {
	a, _ := all.Find(maphash.Comparable(all.seed, addr), func(a *address) bool { return a.Addr == addr })
	return a
}

func (all *addressTable) keep(a *address) { all.Add(maphash.Comparable(all.seed, a.Addr), a) }

func (all *addressTable) forget(a *address) {
	all.Remove(maphash.Comparable(all.seed, a.Addr), func(o *address) bool { return o == a })
}

// serviceTable is all services, by their identifiers.
type serviceTable struct {
	seed maphash.Seed
	table.Table[*service]
}

func newServices() serviceTable { return serviceTable{seed: maphash.MakeSeed()} }

// named is the service of an identifier, or nil.
func (all *serviceTable) named(id string) *service {
	s, _ := all.Find(maphash.String(all.seed, id), func(s *service) bool { return s.id == id })
	return s
}

func (all *serviceTable) keep(s *service) { all.Add(maphash.String(all.seed, s.id), s) }

func (all *serviceTable) forget(s *service) {
	all.Remove(maphash.String(all.seed, s.id), func(o *service) bool { return o == s })
}
