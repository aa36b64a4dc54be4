package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"cassini/manager/store/bolt"
	"cassini/model"
	"cassini/tools/figures"

	bbolt "go.etcd.io/bbolt"
)

// writers at a time bring one document each, which is what group commit is for.
const writers = 64

// Sizes of documents' bodies, in bytes: with all that an interface or a host can tell, and of
// a dependency.
const (
	largeBody = 7 << 10
	smallBody = 600
)

// bulk is how many documents come at once where many do.
const bulk = 1000

// engine is something that keeps documents.
type engine struct {
	name string
	// put has made them durable when it returns; alone says that nobody else writes.
	put   func(ctx context.Context, docs []model.Document, alone bool) error
	close func() error
}

// stores writes the same documents to Cassini's store and to bare bbolt, by turns.
func stores(ctx context.Context, cfg config, out io.Writer) (err error) {
	dir, err := os.MkdirTemp(cfg.Dir, "store")
	if err != nil {
		return fmt.Errorf("make a place for data: %w", err)
	}
	engines, err := open(dir)
	if err != nil {
		return err
	}
	defer func() {
		for _, e := range engines {
			err = errors.Join(err, e.close())
		}
	}()
	fmt.Fprintln(out, "\n| documents, durable | by | a second | until it is durable: median, p99 |\n|---|---|---|---|")
	for _, w := range []struct {
		what         string
		writers, per int
		body         int
	}{
		{"7 KiB: one writer, one at a time", 1, 1, largeBody},
		{fmt.Sprintf("7 KiB: %d writers, one at a time", writers), writers, 1, largeBody},
		{fmt.Sprintf("7 KiB: %d writers, %d at a time", 4, bulk), 4, bulk, largeBody},
		{fmt.Sprintf("0.6 KiB: %d writers, %d at a time", 4, bulk), 4, bulk, smallBody},
	} {
		for _, e := range engines {
			n := cfg.Writes
			switch {
			case w.writers == 1:
				n /= 8 // each waits for the disk
			case w.body == smallBody:
				n *= 8
			}
			took, each, err := write(ctx, e, n, w.writers, w.per, w.body)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", w.what, e.name, err)
			}
			docs := float64(len(each) * w.per)
			fmt.Fprintf(out, "| %s | %s | %s | %s, %s |\n", w.what, e.name, figures.Count(docs/took.Seconds()),
				figures.Short(figures.Quantile(each, 0.5)), figures.Short(figures.Quantile(each, 0.99)))
		}
	}
	return nil
}

func open(dir string) ([]engine, error) {
	ours, err := bolt.Open(bolt.Config{Dir: filepath.Join(dir, "cassini")})
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	db, err := bbolt.Open(filepath.Join(dir, "bare.db"), 0o600, nil)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open bbolt: %w", err), ours.Close())
	}
	return []engine{
		{"Cassini", func(ctx context.Context, docs []model.Document, _ bool) error {
			_, err := ours.Append(ctx, docs)
			return err
		}, ours.Close},
		{"bbolt", func(_ context.Context, docs []model.Document, alone bool) error { return bare(db, docs, alone) }, db.Close},
	}, nil
}

// bare puts documents into one bucket by their names. Single documents share transactions by
// bbolt's own way, which waits for others; that is of no use to whoever writes alone.
func bare(db *bbolt.DB, docs []model.Document, alone bool) error {
	put := func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("documents"))
		if err != nil {
			return err
		}
		for _, d := range docs {
			if err := b.Put([]byte(d.Name.String()), d.Body); err != nil {
				return err
			}
		}
		return nil
	}
	if alone || len(docs) > 1 {
		return db.Update(put)
	}
	return db.Batch(put)
}

// write puts about n documents, so many at a time, by so many writers.
func write(ctx context.Context, e engine, n, writers, per, size int) (took time.Duration, each []time.Duration, err error) {
	body := map[string]string{"text": strings.Repeat("a document ", size/len("a document "))}
	rounds := max(1, n/writers/per)
	times := make([][]time.Duration, writers)
	errs := make([]error, writers)
	var work sync.WaitGroup
	begin := time.Now()
	for w := range writers {
		work.Go(func() {
			docs := make([]model.Document, per)
			for round := range rounds {
				for i := range docs {
					name := model.Name{Host: fmt.Sprintf("host-%d", w), Package: "bench", Key: fmt.Sprintf("%d-%d-%d-%d", size, per, round, i)}
					if docs[i], errs[w] = model.NewDocument(name, begin, body); errs[w] != nil {
						return
					}
				}
				at := time.Now()
				if errs[w] = e.put(ctx, docs, writers == 1); errs[w] != nil {
					return
				}
				times[w] = append(times[w], time.Since(at))
			}
		})
	}
	work.Wait()
	took = time.Since(begin)
	for _, of := range times {
		each = append(each, of...)
	}
	return took, each, errors.Join(errs...)
}
