// Package sqlitefiletest opens graphs as files of SQLite, for tests.
package sqlitefiletest

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"cassini/manager/sqlitefile"
	"cassini/model"
)

// Open writes a graph to a file and opens it until the test ends.
func Open(t *testing.T, g model.Graph) *sql.DB {
	t.Helper()
	file, err := sqlitefile.Write(t.Context(), g)
	path := filepath.Join(t.TempDir(), "graph.db")
	if err == nil {
		err = os.WriteFile(path, file, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Ask answers a query with its columns and all rows.
func Ask(ctx context.Context, db *sql.DB, query string) (columns []string, list [][]any, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	if columns, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, nil, err
		}
		list = append(list, values)
	}
	return columns, list, rows.Err()
}
