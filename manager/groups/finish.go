package groups

import (
	"cmp"
	"slices"
	"strings"

	"cassini/model"
)

// finish works out what follows from all members.
func (g *group) finish() model.FunctionalGroup {
	done := g.FunctionalGroup
	done.Hosts, done.HostsDown, done.Clients, done.MemberCount = len(g.hosts), len(g.down), len(g.clients), len(g.members)
	done.DependsOn, done.UsedBy = links(g.uses), links(g.users)
	done.DependsOnCount, done.UsedByCount = len(done.DependsOn), len(done.UsedBy)
	done.State = g.state(done)
	return done
}

func (g *group) state(done model.FunctionalGroup) string {
	switch {
	case done.Hosts == 0:
		return model.GroupUnknown
	case done.HostsDown > 0 && done.HostsDown == done.Hosts:
		return model.GroupDown
	case done.Services == 0 && done.Ended > 0 && g.idle():
		return model.GroupEnded
	case done.HostsDown > 0, done.Services < g.listened:
		return model.GroupDegraded
	case g.flapping:
		return model.GroupFlapping
	}
	return model.GroupUp
}

// idle says that no member has a connection open.
func (g *group) idle() bool { return g.Served.Open+g.Dialled.Open == 0 }

// links are the other groups, those with the most connections first.
func links(of map[string]model.GroupFigures) []model.GroupLink {
	list := make([]model.GroupLink, 0, len(of))
	for name, figures := range of {
		list = append(list, model.GroupLink{Group: name, GroupFigures: figures})
	}
	slices.SortFunc(list, func(a, b model.GroupLink) int {
		return cmp.Or(cmp.Compare(b.Connections, a.Connections), cmp.Compare(b.Failed, a.Failed), strings.Compare(a.Group, b.Group))
	})
	return list
}

// sortedMembers are at most limit members: those that died first, then those that fail or
// do the most.
func (g *group) sortedMembers(limit int) []model.GroupMember {
	list := make([]model.GroupMember, 0, len(g.members))
	for _, m := range g.members {
		list = append(list, *m)
	}
	busy := func(m model.GroupMember) uint64 { return m.Served.Connections + m.Dialled.Connections }
	failed := func(m model.GroupMember) uint64 { return m.Served.Failed + m.Dialled.Failed }
	slices.SortFunc(list, func(a, b model.GroupMember) int {
		return cmp.Or(cmp.Compare(b.Deaths, a.Deaths), cmp.Compare(failed(b), failed(a)), cmp.Compare(busy(b), busy(a)), strings.Compare(a.ID, b.ID))
	})
	return list[:min(len(list), limit)]
}
