package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/config"
	"cassini/cmd/cassini/internal/output"
	"cassini/manager/backup"
	"cassini/manager/store/bolt"
	"cassini/model"
)

// newStore groups what people in trouble do with a document log that no manager has open.
func newStore(sys *system) *cobra.Command {
	cmd := &cobra.Command{Use: "store", Short: "Check, repair and compact the document log of a manager"}
	cmd.AddCommand(
		storeCommand(sys, "check", "Read all of the log and the structure of the manager's other files, and say what is wrong", checkStore),
		storeCommand(sys, "repair", "Make a new log of all that is good, and say what is lost; the old one is kept", repairStore),
		newStoreCompact(sys),
	)
	grouped(cmd)
	cmd.GroupID = groupServe
	return cmd
}

// storeCommand is a command on the log of a data directory, from which it keeps managers.
func storeCommand(sys *system, name, short string, do func(sys *system, path string) error) *cobra.Command {
	var dataDir string
	cmd := &cobra.Command{Use: name, Short: short, Args: noArgs, GroupID: groupAsk}
	cmd.Flags().StringVar(&dataDir, "data-dir", defaultDataDir, "`directory` of the manager")
	config.Mark(cmd.Flags(), "data-dir")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if err := settle(cmd, sys); err != nil {
			return err
		}
		path := filepath.Join(dataDir, bolt.FileName)
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("there is no document log in %s; name the directory with --data-dir or CASSINI_DATA_DIR", dataDir)
		}
		lock, err := bolt.Lock(dataDir)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, lock.Close()) }()
		return do(sys, path)
	}
	return cmd
}

func checkStore(sys *system, path string) error {
	report, err := bolt.Check(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(sys.stdout, "%s: %s documents of %s things in %s", path, output.Count(report.Entries), output.Count(report.Names), output.Bytes(uint64(report.Bytes)))
	if !report.Newest.IsZero() {
		fmt.Fprintf(sys.stdout, ", from %s to %s", sys.moment(report.Oldest), sys.moment(report.Newest))
	}
	fmt.Fprintln(sys.stdout)
	for _, p := range report.Problems {
		fmt.Fprintln(sys.stdout, output.Clean(p))
	}
	others := backup.CheckOthers(filepath.Dir(path))
	for _, err := range others {
		fmt.Fprintln(sys.stdout, output.Clean(err.Error()))
	}
	switch n := len(report.Problems); {
	case n == 0 && len(others) > 0:
		return errors.New("the log is well, others of the manager's files are not; put a backup in their place ('cassini restore'), or move them away: docs/operations.md says what is lost by that")
	case n > 0:
		return fmt.Errorf("%d problems; put a backup in its place ('cassini restore'), or keep what is good: 'cassini store repair'", n)
	}
	fmt.Fprintln(sys.stdout, "all is well")
	return nil
}

func repairStore(sys *system, path string) error {
	fresh := path + ".repaired"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	r, err := bolt.Repair(path, fresh)
	if err != nil {
		return err
	}
	report, err := bolt.Check(fresh)
	if err == nil && len(report.Problems) > 0 {
		err = fmt.Errorf("what was made is not good: %s", report.Problems[0])
	}
	if err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	kept, err := bolt.Replace(path, fresh, "damaged", sys.now())
	if err != nil {
		return err
	}
	for _, lost := range r.Lost {
		fmt.Fprintln(sys.stdout, output.Clean(lost))
	}
	fmt.Fprintf(sys.stdout, "%s documents of %s things are kept, %s of them found beside what is broken; the old file is %s\n",
		output.Count(r.Kept), output.Count(report.Names), output.Count(r.Strayed), kept)
	return nil
}

// newStoreCompact compacts the log of a manager that does not run, or of one that does.
func newStoreCompact(sys *system) *cobra.Command {
	var online bool
	cmd := storeCommand(sys, "compact", "Give space that the log does not use back to the file system", compactStore)
	cmd.Long = "Give space that the log does not use back to the file system: of a data directory, on which no\n" +
		"manager runs, or with --online of a manager while it works (role admin). It takes room for what\n" +
		"is used once more, for a while. A manager does so by itself when most of the file is not used."
	cmd.Flags().BoolVar(&online, "online", false, "ask the manager that works to do it")
	offline := cmd.RunE
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, _ []string) error {
		c = c.Patient()
		defer c.Close()
		return tell(ctx, a, c, "store/compact", struct{}{}, func(done model.Compacted) error {
			return a.say(fmt.Sprintf("%s became %s", output.Bytes(uint64(done.Before)), output.Bytes(uint64(done.After))))
		})
	})
	asks := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if online {
			return asks(cmd, args)
		}
		return offline(cmd, args)
	}
	return cmd
}

func compactStore(sys *system, path string) error {
	before, after, err := bolt.Compact(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(sys.stdout, "%s: %s became %s\n", path, output.Bytes(uint64(before)), output.Bytes(uint64(after)))
	return nil
}
