package groups

import (
	"cmp"
	"slices"
	"strings"

	"cassini/model"
)

// What groups are sorted by. Numbers come the largest first, ages the oldest first, and
// SortState the worst first.
const (
	SortState    = "state"
	SortName     = "name"
	SortHosts    = "hosts"
	SortServices = "services"
	SortPrograms = "programs"
	SortBorn     = "born"
	SortDied     = "died"
	SortOldest   = "oldest"
	SortNewest   = "newest" // the latest birth first
	SortClients  = "clients"
	SortServed   = "served"
	SortDialled  = "dialled"
	SortFailed   = "failed"
	SortBytes    = "bytes"
)

// Sorts are all of them.
func Sorts() []string {
	return []string{SortState, SortName, SortHosts, SortServices, SortPrograms, SortBorn, SortDied, SortOldest, SortNewest, SortClients, SortServed, SortDialled, SortFailed, SortBytes}
}

var states = []string{model.GroupDown, model.GroupEnded, model.GroupDegraded, model.GroupFlapping, model.GroupUp, model.GroupUnknown}

// Sort puts groups into the order of one of Sorts. Those that are equal come with the most
// connections first, then by name; things without the key come last of their like.
func Sort(list []model.FunctionalGroup, by string) {
	first := order(by)
	slices.SortFunc(list, func(a, b model.FunctionalGroup) int {
		if by == SortName {
			return compareNames(a.Name, b.Name)
		}
		return cmp.Or(first(a, b), cmp.Compare(b.Served.Connections+b.Dialled.Connections, a.Served.Connections+a.Dialled.Connections), compareNames(a.Name, b.Name))
	})
}

func compareNames(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	}
	return strings.Compare(a, b)
}

func order(by string) func(a, b model.FunctionalGroup) int {
	most := func(of func(model.FunctionalGroup) uint64) func(a, b model.FunctionalGroup) int {
		return func(a, b model.FunctionalGroup) int { return cmp.Compare(of(b), of(a)) }
	}
	switch by {
	case SortHosts:
		return most(func(g model.FunctionalGroup) uint64 { return uint64(g.Hosts) })
	case SortServices:
		return most(func(g model.FunctionalGroup) uint64 { return uint64(g.Services) })
	case SortPrograms:
		return most(func(g model.FunctionalGroup) uint64 { return uint64(g.Programs) })
	case SortBorn:
		return most(func(g model.FunctionalGroup) uint64 { return g.Births })
	case SortDied:
		return most(func(g model.FunctionalGroup) uint64 { return g.Deaths })
	case SortClients:
		return most(func(g model.FunctionalGroup) uint64 { return uint64(g.Clients) })
	case SortServed:
		return most(func(g model.FunctionalGroup) uint64 { return g.Served.Connections })
	case SortDialled:
		return most(func(g model.FunctionalGroup) uint64 { return g.Dialled.Connections })
	case SortFailed:
		return most(func(g model.FunctionalGroup) uint64 { return g.Served.Failed + g.Dialled.Failed })
	case SortBytes:
		return most(func(g model.FunctionalGroup) uint64 {
			return g.Served.BytesSent + g.Served.BytesReceived + g.Dialled.BytesSent + g.Dialled.BytesReceived
		})
	case SortOldest:
		return func(a, b model.FunctionalGroup) int { return compareAges(a, b) }
	case SortNewest:
		return func(a, b model.FunctionalGroup) int { return b.Newest.Compare(a.Newest) }
	}
	return func(a, b model.FunctionalGroup) int {
		return cmp.Compare(slices.Index(states, a.State), slices.Index(states, b.State))
	}
}

// compareAges puts groups of which no age is known last.
func compareAges(a, b model.FunctionalGroup) int {
	if a.Oldest.IsZero() != b.Oldest.IsZero() {
		return cmp.Compare(b2i(a.Oldest.IsZero()), b2i(b.Oldest.IsZero()))
	}
	return a.Oldest.Compare(b.Oldest)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
