// Package backup takes a backup of a manager's data directory and puts one back. What a
// running manager gives is read by the manager itself; this package is for the directory
// of one that does not run.
package backup

import (
	"errors"
	"slices"
	"strings"

	"cassini/manager/alerts"
	"cassini/manager/audit"
	"cassini/manager/enroll"
	"cassini/manager/rings/keeper"
	"cassini/manager/store/bolt"
)

// Errors of this package. Those of reading a backup are those of package archive.
var (
	// ErrOccupied says that the data directory has files already.
	ErrOccupied = errors.New("there is data already")
	// ErrNothing says that there is nothing to back up.
	ErrNothing = errors.New("there is no manager's data")
)

// databases are the bbolt files of a manager, in the order in which they are read: what
// says that something is not in the log yet must not be newer than the log.
func databases() []string {
	return []string{keeper.FileName, alerts.FileName, audit.FileName, enroll.StateFile, bolt.FileName}
}

// files are all of a manager's.
func files() []string { return append(databases(), enroll.CAFile, enroll.NextCAFile) }

// known says whether a file of a backup is one of ours.
func known(name string) bool { return slices.Contains(files(), name) }

func isDatabase(name string) bool { return strings.HasSuffix(name, ".db") }
