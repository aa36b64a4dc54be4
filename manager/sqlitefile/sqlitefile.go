// Package sqlitefile writes a graph as an SQLite database: nodes and edges with indices,
// and a view for each kind with its attributes as columns, so that sqlite3 and whatever
// reads its files can ask it.
package sqlitefile

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	_ "modernc.org/sqlite" // the driver "sqlite": pure Go

	"cassini/model"
)

// Schema is the version of the tables and views, in SQLite's user_version.
const Schema = 1

const tables = `
PRAGMA user_version = 1;
CREATE TABLE nodes(id TEXT PRIMARY KEY, kind TEXT NOT NULL, host TEXT, name TEXT, attrs TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE edges(id TEXT PRIMARY KEY, kind TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, attrs TEXT NOT NULL) WITHOUT ROWID;
`

const indices = `
CREATE INDEX nodes_by_kind ON nodes(kind, name);
CREATE INDEX nodes_by_host ON nodes(host, kind);
CREATE INDEX edges_by_source ON edges(source, kind, target);
CREATE INDEX edges_by_target ON edges(target, kind, source);
CREATE INDEX edges_by_kind ON edges(kind);
PRAGMA optimize;
`

// Write makes the file in memory. Nothing of it stays anywhere else.
func Write(ctx context.Context, g model.Graph) (file []byte, err error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, fmt.Errorf("open a database in memory: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx) // each has a memory of its own
	if err != nil {
		return nil, fmt.Errorf("open a database in memory: %w", err)
	}
	defer conn.Close()
	if err := fill(ctx, conn, g); err != nil {
		return nil, err
	}
	err = conn.Raw(func(driver any) error {
		c, ok := driver.(interface{ Serialize() ([]byte, error) })
		if !ok {
			return errors.New("the driver cannot write it")
		}
		file, err = c.Serialize()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("write the database: %w", err)
	}
	return file, nil
}

// fill makes tables, rows, indices and views in one transaction.
func fill(ctx context.Context, conn *sql.Conn, g model.Graph) error {
	if _, err := conn.ExecContext(ctx, tables); err != nil {
		return fmt.Errorf("make tables: %w", err)
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin to fill tables: %w", err)
	}
	if err := errors.Join(nodes(ctx, tx, g.Nodes), edges(ctx, tx, g.Edges)); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	for _, v := range views(g) {
		if _, err := tx.ExecContext(ctx, v); err != nil {
			return errors.Join(fmt.Errorf("make a view: %w: %s", err, v), tx.Rollback())
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("fill tables: %w", err)
	}
	if _, err := conn.ExecContext(ctx, indices); err != nil {
		return fmt.Errorf("make indices: %w", err)
	}
	return nil
}

func nodes(ctx context.Context, tx *sql.Tx, list []model.Node) error {
	insert, err := tx.PrepareContext(ctx, "INSERT INTO nodes VALUES(?, ?, ?, ?, ?)")
	if err != nil {
		return fmt.Errorf("insert nodes: %w", err)
	}
	defer insert.Close()
	for _, n := range list {
		attrs, err := encode(n.Attrs)
		if err != nil {
			return fmt.Errorf("encode %s: %w", n.ID, err)
		}
		host := n.Attrs["host"]
		if n.Kind == model.KindHost {
			host = n.Attrs["name"]
		}
		if _, err := insert.ExecContext(ctx, n.ID, n.Kind, text(host), text(n.Attrs["name"]), attrs); err != nil {
			return fmt.Errorf("insert %s: %w", n.ID, err)
		}
	}
	return nil
}

func edges(ctx context.Context, tx *sql.Tx, list []model.Edge) error {
	insert, err := tx.PrepareContext(ctx, "INSERT INTO edges VALUES(?, ?, ?, ?, ?)")
	if err != nil {
		return fmt.Errorf("insert edges: %w", err)
	}
	defer insert.Close()
	for _, e := range list {
		attrs, err := encode(e.Attrs)
		if err != nil {
			return fmt.Errorf("encode %s: %w", e.ID, err)
		}
		if _, err := insert.ExecContext(ctx, e.ID, e.Kind, e.From, e.To, attrs); err != nil {
			return fmt.Errorf("insert %s: %w", e.ID, err)
		}
	}
	return nil
}

func encode(attrs model.Attrs) (string, error) {
	if attrs == nil {
		return "{}", nil
	}
	raw, err := json.Marshal(attrs)
	return string(raw), err
}

// text is a text or NULL.
func text(v any) any {
	if s, ok := v.(string); ok && s != "" {
		return s
	}
	return nil
}
