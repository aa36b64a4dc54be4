package model

import (
	"strings"
	"time"
)

// Lives are those of a program that is a client: each cgroup in which it is seen is one, as
// systemd, container runtimes and batch systems make one for each run of a unit, a
// container or a job. Runs within one cgroup, such as cron's, are one life.
type Lives struct {
	Found  uint64 `json:"found"`  // lived already when the agent came
	Births uint64 `json:"births"` // since then
	Deaths uint64 `json:"deaths"` // likewise, of both
}

// Count is how many lives there were.
func (l Lives) Count() uint64 { return l.Found + l.Births }

// Alive is how many there are.
func (l Lives) Alive() uint64 { return l.Count() - min(l.Count(), l.Deaths) }

// Program is the body of a PackagePrograms document: a program of which several lives were
// seen. It is told when there is a second, and when somebody asks.
type Program struct {
	Process // the latest life's
	Lives
	Since time.Time `json:"since"` // when the first of these lives was seen
	Last  time.Time `json:"last"`  // when the latest was
	// CountingSince begins the run of the agent, or the memory of the program, that Lives
	// belong to. A new value means that they are counted anew.
	CountingSince time.Time `json:"counting_since"`
}

// Key is the document key: "/usr/bin/curl", with "@UNIT" behind it as in ProcessID.
func (p Program) Key() string { return p.Function() }

// NetnsOfLives stands as the name of all network namespaces that only one life of what is in
// them has: a program's next life is in another.
const NetnsOfLives = "*"

// LastingNetns is the name of a network namespace, or NetnsOfLives for one that nobody has
// named ("net:[INODE]") and one that a container network plugin made up ("cni-UUID").
func LastingNetns(name string) string {
	if strings.HasPrefix(name, "net:[") || strings.HasPrefix(name, "cni-") {
		return NetnsOfLives
	}
	return name
}
