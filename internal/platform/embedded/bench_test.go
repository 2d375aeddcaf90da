package embedded_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// benchDeployment is a data directory, or a fleet if LYTICS_TEST_FLEET is set.
func benchDeployment(tb testing.TB) deployment {
	tb.Helper()
	if os.Getenv("LYTICS_TEST_FLEET") != "" {
		return newFleet(tb)
	}
	return deployment{dir: tb.TempDir()}
}

func defineCustomers(b testPlatform, t checker) {
	b.mustField(t, jobs.Field{ID: "customer_id", Type: "int", IsIdentifier: true})
	b.mustField(t, jobs.Field{ID: "email", Type: "string", IsIdentifier: true})
	b.mustField(t, jobs.Field{ID: "name", Type: "string"})
	b.mustField(t, jobs.Field{ID: "spend", Type: "number", MergeOperation: "sum"})
	b.mustField(t, jobs.Field{ID: "updated", Type: "date", MergeOperation: "max"})
	for field, expression := range map[string]string{"customer_id": "customer_id", "email": "email(email)", "name": "trim(name)", "spend": "total", "updated": "todate(updated_at)"} {
		b.mustMap(t, "customers", field, expression, "")
	}
}

func customerEvents(from, n int) []jobs.Event {
	events := make([]jobs.Event, 0, n)
	for i := from; i < from+n; i++ {
		data := fmt.Sprintf(`{"customer_id":%d,"email":"User%d@Example.com","name":" Name %d ","total":%d.%02d,"updated_at":"2024-01-01T00:00:00.%06dZ","city":"Köln","zip":"00123","tags":["a","b"],"note":"some more text without a mapping"}`, i, i, i, i%1000, i%100, i%1000000)
		events = append(events, event(fmt.Sprintf("%064x", i), day0.Add(time.Duration(i)*time.Millisecond), data))
	}
	return events
}

func BenchmarkAppend(b *testing.B) {
	p := openPlatform(b, benchDeployment(b))
	events := customerEvents(0, 10000)
	b.ResetTimer()
	for b.Loop() {
		p.mustAppend(b, "customers", events)
	}
	b.ReportMetric(float64(b.N)*10000/b.Elapsed().Seconds(), "events/s")
}

// measureBuild builds the profiles, and reports the CPU time of the build beside its wall
// time, because other work on the machine changes only the latter.
func measureBuild(b *testing.B, p testPlatform, profiles int64) {
	b.Helper()
	before := cpuSeconds(b)
	if s := p.mustBuild(b); s.Profiles != profiles {
		b.Fatalf("%+v", s)
	}
	b.ReportMetric(cpuSeconds(b)-before, "cpu-s/build")
}

// cpuSeconds is the CPU time that this process has used; 0 if the operating system does
// not report it.
func cpuSeconds(tb testing.TB) float64 {
	tb.Helper()
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	// The name of the process, in parentheses, may have spaces. User and system time,
	// in hundredths of a second, are the 12th and 13th field after it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, err := strconv.ParseFloat(fields[11], 64)
	check(tb, err)
	system, err := strconv.ParseFloat(fields[12], 64)
	check(tb, err)
	return (user + system) / 100
}

// 100,000 events of 100,000 profiles.
func BenchmarkBuildManyProfiles(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		p := openPlatform(b, benchDeployment(b))
		defineCustomers(p, b)
		for i := 0; i < 100_000; i += 10_000 {
			p.mustAppend(b, "customers", customerEvents(i, 10_000))
		}
		b.StartTimer()
		measureBuild(b, p, 100_000)
	}
}

func defineHouseholds(b testPlatform, t checker) {
	for id, f := range map[string]jobs.Field{
		"household_id": {Type: "string", IsIdentifier: true}, "spend": {Type: "number", MergeOperation: "sum"}, "items": {Type: "int", MergeOperation: "sum"},
		"purchases": {Type: "int", MergeOperation: "count"}, "baskets": {Type: "[]string"}, "first_purchase": {Type: "date", MergeOperation: "min"},
		"last_purchase": {Type: "date", MergeOperation: "max"}, "last_store": {Type: "string"},
	} {
		f.ID = id
		b.mustField(t, f)
	}
	for field, expression := range map[string]string{
		"household_id": "household_id", "spend": "sales_value", "items": "toint(quantity)", "purchases": "basket_id", "baskets": "basket_id",
		"first_purchase": "todate(transaction_timestamp)", "last_purchase": "todate(transaction_timestamp)", "last_store": "tostring(store_id)",
	} {
		b.mustMap(t, "purchases", field, expression, "")
	}
}

func purchaseEvents(from, n int) []jobs.Event {
	events := make([]jobs.Event, 0, n)
	for i := from; i < from+n; i++ {
		at := day0.Add(time.Duration(i) * 20 * time.Second)
		data := fmt.Sprintf(`{"household_id":"%d","store_id":"%d","basket_id":"%d","product_id":"%d","quantity":%d.0,"sales_value":%d.%02d,"retail_disc":0.%02d,"coupon_disc":0.0,"coupon_match_disc":0.0,"week":%d,"transaction_timestamp":"%s"}`,
			i*7919%2469, i%400, i/10*31%9000000, i%92331, i%4, i%20, i%100, i%50, i%53, at.Format("2006-01-02T15:04:05.000000Z"))
		events = append(events, event(fmt.Sprintf("%064x", i), at, data))
	}
	return events
}

// 1.47 million events of 2,469 profiles.
func BenchmarkBuildFewProfiles(b *testing.B) {
	const events = 1_469_307
	for b.Loop() {
		b.StopTimer()
		p := openPlatform(b, benchDeployment(b))
		defineHouseholds(p, b)
		for i := 0; i < events; i += 20_000 {
			p.mustAppend(b, "purchases", purchaseEvents(i, min(20_000, events-i)))
		}
		b.StartTimer()
		measureBuild(b, p, 2469)
	}
}

func BenchmarkScan(b *testing.B) {
	p := openPlatform(b, benchDeployment(b))
	defineCustomers(p, b)
	for i := 0; i < 100_000; i += 10_000 {
		p.mustAppend(b, "customers", customerEvents(i, 10_000))
	}
	p.mustBuild(b)
	p.mustAudience(b, "some", `AND (spend > 10, email LIKE "*@example.com", updated < "now-1d")`)
	b.ResetTimer()
	for b.Loop() {
		if n := len(p.rows(b, "some")); n == 0 {
			b.Fatal("got no profiles")
		}
	}
	b.ReportMetric(float64(b.N)*100_000/b.Elapsed().Seconds(), "profiles/s")
}

// defineTenFields defines the ten fields of the benchmark of an import with profiles.
func defineTenFields(b testPlatform, t checker) {
	for field, kind := range map[string]string{
		"id": "int", "ts": "date", "email": "string", "name": "string", "country": "string", "amount": "number",
		"score": "number", "active": "bool", "day": "date", "note": "string",
	} {
		b.mustField(t, jobs.Field{ID: field, Type: kind, IsIdentifier: field == "email"})
		b.mustMap(t, "usual", field, field, "")
	}
}

func tenFieldEvents(from, n int) []jobs.Event {
	events := make([]jobs.Event, 0, n)
	for i := from; i < from+n; i++ {
		at := day0.Add(time.Duration(i) * 25 * time.Millisecond)
		data := fmt.Sprintf(`{"id":%d,"ts":"%s","email":"user%d@example.com","name":"Name of user %d","country":"%s","amount":%d.%02d,"score":%v,"active":%t,"day":"%s","note":"note %d of some length"}`,
			i, at.Format(time.RFC3339Nano), i, i, []string{"DE", "US", "FR"}[i%3], i/4, i%4*25, float64(i%997)/7, i%3 == 0, day0.AddDate(0, 0, i%700).Format(time.DateOnly), i%1000)
		events = append(events, event(fmt.Sprintf("%032x", i), at, data))
	}
	return events
}

// Ten fields of a million profiles, each built from one event.
func BenchmarkBuildTenFields(b *testing.B) {
	const profiles = 1_000_000
	for b.Loop() {
		b.StopTimer()
		p := openPlatform(b, benchDeployment(b))
		defineTenFields(p, b)
		for from := 0; from < profiles; from += 20_000 {
			p.mustAppend(b, "usual", tenFieldEvents(from, 20_000))
		}
		b.StartTimer()
		measureBuild(b, p, profiles)
	}
}

// Ten fields of 100,000 profiles, each built from one event.
func BenchmarkScanAllFields(b *testing.B) {
	p := openPlatform(b, benchDeployment(b))
	const profiles = 100_000
	defineTenFields(p, b)
	for from := 0; from < profiles; from += 10_000 {
		p.mustAppend(b, "usual", tenFieldEvents(from, 10_000))
	}
	p.mustBuild(b)
	p.mustAudience(b, "all", "FILTER *")
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		_, rows, err := p.Scan(b.Context(), "all", nil)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for _, err := range rows {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != profiles {
			b.Fatalf("%d profiles", n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/profiles, "ns/profile")
}
