package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/buildinfo"
	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/config"
	"cassini/cmd/cassini/internal/output"
	"cassini/manager/archive"
	"cassini/manager/backup"
)

func newBackup(sys *system) *cobra.Command {
	var offline bool
	var dataDir string
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Take a backup of a manager while it works, or of its data directory",
		Long: "Take a backup of a manager while it works (role admin), or with --offline of the data\n" +
			"directory of one that does not run. FILE is a compressed tar, - is standard output. It\n" +
			"holds keys: who has it can play the manager.",
		Example: "  cassini backup /srv/backup/cassini.tar.gz\n  cassini backup --offline --data-dir /var/lib/cassini - | ssh elsewhere 'cat >cassini.tar.gz'",
		Args:    oneArg,
	}
	flags := cmd.Flags()
	flags.BoolVar(&offline, "offline", false, "read the data directory, on which no manager runs")
	flags.StringVar(&dataDir, "data-dir", defaultDataDir, "`directory` for --offline")
	config.Mark(flags, "data-dir")
	var a *asker
	a = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, c *client.Client, args []string) error {
		if len(args) == 0 {
			return usagef("want a FILE for the backup, or - for standard output")
		}
		take := c.Backup
		if offline {
			take = func(_ context.Context, w io.Writer) error { return backup.Offline(w, dataDir, a.manifest()) }
		}
		m, size, err := a.save(ctx, args[0], take)
		if err != nil {
			return err
		}
		return a.saved(args[0], m, size)
	})
	return cmd
}

// manifest is that of a backup that this process takes by itself.
func (s *system) manifest() archive.Manifest {
	host, _ := os.Hostname() // it is for people
	return archive.Manifest{Cassini: buildinfo.Read().Version, Host: host, Time: s.now().UTC()}
}

// save writes a backup to a file, and reads it on the way: what is not whole is not kept.
func (a *asker) save(ctx context.Context, file string, take func(context.Context, io.Writer) error) (m archive.Manifest, size int64, err error) {
	if file == "-" {
		return verified(ctx, a.stdout, take)
	}
	part := file + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return m, 0, fmt.Errorf("write the backup: %w", err)
	}
	m, size, err = verified(ctx, f, take)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(part, file)
	}
	if err != nil {
		return m, 0, errors.Join(err, os.Remove(part))
	}
	return m, size, syncFolder(filepath.Dir(file))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// verified lets a backup be written, and reads what is written.
func verified(ctx context.Context, w io.Writer, take func(context.Context, io.Writer) error) (m archive.Manifest, size int64, err error) {
	from, to := io.Pipe()
	count := &counted{w: io.MultiWriter(w, to)}
	taken := make(chan error, 1)
	go func() { // ends with the pipe
		err := take(ctx, count)
		taken <- errors.Join(err, to.CloseWithError(err))
	}()
	m, err = archive.Read(from, func(_ string, _ int64, content io.Reader) error {
		_, err := io.Copy(io.Discard, content)
		return err
	})
	if err == nil {
		_, err = io.Copy(io.Discard, from) // what follows the end
	}
	_ = from.CloseWithError(err)
	if failed := <-taken; failed != nil {
		err = failed // it says why
	}
	return m, count.n, err
}

// counted counts what is written.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func (a *asker) saved(file string, m archive.Manifest, size int64) error {
	to := a.stdout
	if file == "-" {
		to = a.stderr
	}
	if a.format.value == formatJSON {
		return output.JSON(to, m)
	}
	fmt.Fprintf(to, "%s: %s, %s of %s, as of %s, verified; it holds keys, keep it where nobody reads it\n",
		output.Clean(file), output.Bytes(uint64(size)), list(m.Files), output.Clean(m.Host), a.moment(m.Time))
	return nil
}
