// Package peer holds a graph in SQLite and asks it by recursive common table expressions
// what manager/graph answers, as somebody would who knows SQLite well: integer keys,
// covering indices in both directions, prepared statements, a cache that holds everything,
// and, made beforehand, tables of what falls with what and of the ways that a path can take.
//
// "All of several must fall" cannot be said in a recursive expression: Impact, Point and
// Cause are right where nothing stands in for another, as in tools/graphbench/estate.
package peer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	_ "modernc.org/sqlite" // the driver "sqlite": pure Go

	"cassini/model"
)

const schema = `
CREATE TABLE nodes(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, host TEXT, attrs TEXT NOT NULL);
CREATE TABLE edges(id INTEGER PRIMARY KEY, src INTEGER NOT NULL, dst INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, connections INTEGER, attrs TEXT NOT NULL);
CREATE TABLE falls(src INTEGER NOT NULL, dst INTEGER NOT NULL, PRIMARY KEY(src, dst)) WITHOUT ROWID;
CREATE TABLE ways(src INTEGER NOT NULL, dst INTEGER NOT NULL, PRIMARY KEY(src, dst)) WITHOUT ROWID;
`

const indices = `
CREATE INDEX edges_by_source ON edges(src, kind, dst);
CREATE INDEX edges_by_target ON edges(dst, kind, src);
CREATE INDEX nodes_by_kind ON nodes(kind);
INSERT OR IGNORE INTO falls
	SELECT e.src, e.dst FROM edges e JOIN nodes n ON n.id = e.src WHERE e.kind = 'has' AND n.kind IN ('switch', 'host') OR e.kind = 'runs'
	UNION SELECT dst, src FROM edges WHERE kind IN ('wired_to', 'owns', 'depends_on', 'runs_as');
CREATE INDEX falls_back ON falls(dst, src);
INSERT OR IGNORE INTO ways SELECT e.src, e.dst FROM edges e JOIN nodes n ON n.id = e.src WHERE e.kind <> 'next' AND n.kind NOT IN ('subnet', 'vlan', 'ring');
INSERT OR IGNORE INTO ways SELECT e.dst, e.src FROM edges e JOIN nodes n ON n.id = e.dst WHERE e.kind <> 'next' AND n.kind NOT IN ('subnet', 'vlan', 'ring');
ANALYZE;
`

// DB is a filled database. It is safe for concurrent use; in memory, one asks at a time.
type DB struct {
	db    *sql.DB
	stmts map[string]*sql.Stmt
}

// Fill makes a database of a graph, in a file that is not there yet or, with "", in memory.
func Fill(ctx context.Context, path string, g model.Graph) (*DB, error) {
	const common = "?_pragma=synchronous(normal)&_pragma=cache_size(-2000000)&_pragma=temp_store(memory)&_pragma=busy_timeout(60000)"
	name := "file:" + path + common + "&_pragma=journal_mode(wal)&_pragma=mmap_size(8000000000)"
	if path == "" {
		name = ":memory:" + common
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("open a database: %w", err)
	}
	if path == "" {
		db.SetMaxOpenConns(1) // each connection has a memory of its own
	}
	p := &DB{db: db, stmts: make(map[string]*sql.Stmt)}
	if err := errors.Join(p.fill(ctx, g), p.prepare(ctx)); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Close ends it.
func (p *DB) Close() error {
	var errs []error
	for _, s := range p.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, p.db.Close())...)
}

func (p *DB) fill(ctx context.Context, g model.Graph) error {
	if _, err := p.db.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("make tables: %w", err)
	}
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin to fill tables: %w", err)
	}
	if err := rows(ctx, tx, g); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if _, err := tx.ExecContext(ctx, indices); err != nil {
		return errors.Join(fmt.Errorf("make indices: %w", err), tx.Rollback())
	}
	return tx.Commit()
}

func rows(ctx context.Context, tx *sql.Tx, g model.Graph) error {
	node, err := tx.PrepareContext(ctx, "INSERT INTO nodes VALUES(?, ?, ?, ?, ?)")
	if err != nil {
		return fmt.Errorf("insert nodes: %w", err)
	}
	defer node.Close()
	ids := make(map[string]int, len(g.Nodes))
	for i, n := range g.Nodes {
		ids[n.ID] = i + 1
		host := n.Attrs["host"]
		if n.Kind == model.KindHost {
			host = n.Attrs["name"]
		}
		attrs, err := json.Marshal(n.Attrs)
		if err != nil {
			return fmt.Errorf("encode %s: %w", n.ID, err)
		}
		if _, err := node.ExecContext(ctx, i+1, n.ID, n.Kind, host, string(attrs)); err != nil {
			return fmt.Errorf("insert %s: %w", n.ID, err)
		}
	}
	edge, err := tx.PrepareContext(ctx, "INSERT INTO edges VALUES(?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return fmt.Errorf("insert edges: %w", err)
	}
	defer edge.Close()
	for i, e := range g.Edges {
		attrs, err := json.Marshal(e.Attrs)
		if err != nil {
			return fmt.Errorf("encode %s: %w", e.ID, err)
		}
		if _, err := edge.ExecContext(ctx, i+1, ids[e.From], ids[e.To], e.Kind, e.ID, e.Attrs["connections"], string(attrs)); err != nil {
			return fmt.Errorf("insert %s: %w", e.ID, err)
		}
	}
	return nil
}

// Bytes is what the database takes, its indices included.
func (p *DB) Bytes(ctx context.Context) (n int64, err error) {
	err = p.db.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&n)
	return n, err
}
