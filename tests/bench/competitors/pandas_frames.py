"""pandas: merges for owners, a prefix length after the other for zones, cumulated sums for packs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.bench.competitors.common import (
    FUTURE_AFTER,
    MONTH_ENDS,
    MONTH_STARTS,
    TOTALS,
    Task,
    pools,
    task_given,
)

DAYS = ["active_from", "active_to", "starts_on", "ends_on", "effective_from"]
WITHHELD = ["", "anonymous", "unknown", "restricted", "unavailable"]
FOREVER = pd.Timestamp("2100-01-01")
LONGEST = 8


def table(task: Task, name: str) -> pd.DataFrame:
    """A platform table, its days as timestamps, no end as one far away."""
    found = pd.read_csv(task.table(name), dtype=str, keep_default_na=False)
    for column in set(DAYS) & set(found.columns):
        found[column] = pd.to_datetime(found[column].replace("", None)).fillna(FOREVER).astype("datetime64[us]")
    return found


def normalised(written: pd.Series) -> pd.Series:
    """Numbers in one form, missing where malformed; only those not in it already are looked at twice."""
    written = written.fillna("").str.strip()
    odd = ~written.str.fullmatch(r"\+[1-9][0-9]{4,14}")
    bare = written[odd].str.replace(r"^(?:tel:|sips?:)", "", regex=True, case=False)
    bare = bare.str.replace(r"(?s)[;@].*$", "", regex=True).str.strip()
    dialled = bare.str.replace("(0)", "", regex=False).str.replace(r"[\s./()-]", "", regex=True)
    form = dialled.where(dialled.str.fullmatch(r"\+[1-9][0-9]{4,14}|[1-9][0-9]{1,5}"))
    form = form.fillna(("+" + dialled.str[2:]).where(dialled.str.fullmatch(r"00[1-9][0-9]{4,14}")))
    form = form.fillna(("+32" + dialled.str[1:]).where(dialled.str.fullmatch(r"0[1-9][0-9]{6,12}")))
    form[bare.str.lower().isin(WITHHELD)] = "anonymous"
    written[odd] = form
    return written


def accepted_calls(task: Task) -> pd.DataFrame:
    """The month's calls, each once, in the order of start and call_id."""
    calls = pd.concat([pd.read_parquet(path) for path in task.cdrs], ignore_index=True)
    calls["caller"], calls["callee"] = normalised(calls["caller"]), normalised(calls["callee"])
    sound = calls["caller"].notna() & calls["callee"].notna() & (calls["callee"] != "anonymous")
    sound &= calls["duration_s"].between(0, 86_400) & (calls["start"] <= FUTURE_AFTER)
    calls = calls[sound].drop_duplicates("call_id", keep="first")
    of_month = (calls["start"] >= MONTH_STARTS) & (calls["start"] < MONTH_ENDS)
    calls = calls[(calls["duration_s"] > 0) & of_month].sort_values(["start", "call_id"], ignore_index=True)
    local = calls["start"].dt.tz_convert("Europe/Brussels").dt.tz_localize(None)
    calls["day"] = local.dt.normalize().astype("datetime64[us]")
    calls["incoming"] = calls["direction"] == "incoming"
    return calls


def interval_on(calls: pd.DataFrame, keys: pd.Series, intervals: pd.DataFrame, by: str) -> pd.DataFrame:
    """To each call the row of the interval of its key that holds its day, missing where none does."""
    asked = pd.DataFrame({by: keys, "day": calls["day"], "place": np.arange(len(calls))}).dropna()
    found = asked.merge(intervals, on=by)
    found = found[(found["day"] >= found["active_from"]) & (found["day"] < found["active_to"])]
    return found.set_index("place").reindex(np.arange(len(calls)))


def owned_calls(task: Task, calls: pd.DataFrame) -> pd.DataFrame:
    """The calls that somebody pays for, with `customer_id`, `owner_user_id`, `onnet` and `inbound_deck`."""
    numbers, users = table(task, "numbers"), table(task, "users")
    by_number = interval_on(calls, calls["callee"].where(calls["incoming"], calls["caller"]), numbers, "number")
    by_user = interval_on(calls, calls["user_id"].where(~calls["incoming"]), users, "user_id")
    calls["customer_id"] = by_user["customer_id"].fillna(by_number["customer_id"])
    calls["owner_user_id"] = by_user["user_id"].fillna(by_number["user_id"])
    calls["inbound_deck"] = by_number["inbound_deck"].replace("", None)
    calls["onnet"] = ~calls["incoming"] & (
        interval_on(calls, calls["callee"], numbers, "number")["customer_id"] == calls["customer_id"]
    )
    contracts = table(task, "contracts").set_index("customer_id")
    first = calls["customer_id"].map(contracts["starts_on"])
    end = calls["customer_id"].map(contracts["ends_on"])
    return calls[(calls["day"] >= first) & (calls["day"] < end)].reset_index(drop=True)


def in_force(calls: pd.DataFrame, key: str, versions: pd.DataFrame) -> pd.DataFrame:
    """To each call the version of its key in force on its day; the calls are in the order of their days."""
    return pd.merge_asof(
        calls[["day", key]],
        versions.sort_values("effective_from"),
        left_on="day",
        right_on="effective_from",
        by=key,
    )


def matched_calls(task: Task, calls: pd.DataFrame) -> pd.DataFrame:
    """The calls with their zone and rate; those that no deck knows are left out."""
    calls["deck_id"] = in_force(calls, "customer_id", table(task, "customer_decks"))["deck_id"]
    calls["deck_id"] = calls["inbound_deck"].where(calls["incoming"], calls["deck_id"])
    rates = table(task, "rates").merge(table(task, "zones")[["zone_id", "kind"]], on="zone_id")
    versions = rates[["deck_id", "effective_from"]].drop_duplicates().reset_index(drop=True)
    versions["version"] = np.arange(len(versions))
    rates = rates.merge(versions, on=["deck_id", "effective_from"])
    for column, name in (("rate_micro_per_min", "price_per_minute"), ("setup_micro", "setup_fee")):
        micro = (rates[name].astype(float) * 1_000_000).round().astype("int64")
        rates[column] = micro.where(rates["kind"] != "emergency", 0)
    calls["by_deck"] = ~calls["onnet"] & calls["deck_id"].notna()
    calls["version"] = in_force(calls, "deck_id", versions)["version"].where(calls["by_deck"])
    calls["destination"] = calls["caller"].where(calls["incoming"], calls["callee"])
    # Few destinations are called often: each is looked up once in a version.
    asked = calls.loc[calls["by_deck"], ["version", "destination"]].drop_duplicates().reset_index(drop=True)
    entries = pd.Series(rates.index, index=pd.MultiIndex.from_frame(rates[["version", "prefix"]]))
    international = asked["destination"].str.startswith("+")
    asked["entry"] = _entry(entries, asked["version"], ("=" + asked["destination"]).where(~international))
    for length in range(LONGEST, 0, -1):
        open_still = asked[international & asked["entry"].isna()]
        prefix = open_still["destination"].str.slice(1, 1 + length)
        asked.loc[open_still.index, "entry"] = _entry(entries, open_still["version"], prefix)
    columns = ["zone_id", "kind", "rate_micro_per_min", "setup_micro"]
    asked = asked.dropna(subset=["entry"]).merge(rates[columns], left_on="entry", right_index=True)
    calls = calls.merge(asked.drop(columns="entry"), on=["version", "destination"], how="left")
    calls.loc[calls["onnet"], "zone_id"] = "ONNET"
    calls.loc[calls["incoming"] & ~calls["by_deck"], "zone_id"] = "INCOMING"
    calls = calls[calls["zone_id"].notna()].reset_index(drop=True)
    for column in ("rate_micro_per_min", "setup_micro"):
        calls[column] = calls[column].fillna(0).astype("int64")
    return calls


def _entry(entries: pd.Series, version: pd.Series, prefix: pd.Series) -> np.ndarray:
    """The place of each version and prefix among the rates, NaN where there is none."""
    found = entries.index.get_indexer(pd.MultiIndex.from_arrays([version, prefix.fillna("")]))
    return np.where(found >= 0, entries.to_numpy()[found], np.nan)


def drawn_seconds(calls: pd.DataFrame, packs: pd.DataFrame) -> pd.Series:
    """What each call draws from packs, all calls of a pool in their order, a product after the other."""
    costs = (calls["rate_micro_per_min"] > 0) | (calls["setup_micro"] > 0)
    columns = ["customer_id", "owner_user_id", "day", "zone_id", "kind", "duration_s"]
    drawing = calls.loc[costs & calls["customer_id"].isin(packs["customer_id"]), columns]
    drawing = drawing.rename(columns={"duration_s": "need_s"}).rename_axis("place").reset_index()
    drawn = pd.Series(0, index=calls.index)
    for _, pool in packs.groupby(["priority", "product_id"]):
        zones = set(pool["zones"].iloc[0])
        fits = drawing["zone_id"].isin(zones) if zones != {"*"} else drawing["kind"] != "premium"
        keys = ["customer_id"] if pool["user_id"].isna().all() else ["customer_id", "owner_user_id"]
        limits = pool.rename(columns={"user_id": "owner_user_id"})[[*keys, "open_from", "allowance_s"]]
        found = drawing[fits & (drawing["need_s"] > 0)].merge(limits, on=keys)
        found = found[found["day"] >= found["open_from"]].sort_values("place")
        needed = found.groupby(keys)["need_s"].cumsum()
        limit = found["allowance_s"].fillna(np.inf)  # unlimited
        taken = np.minimum(needed, limit) - np.minimum(needed - found["need_s"], limit)
        taken = taken.astype("int64").set_axis(found["place"])
        drawn.loc[taken.index] += taken
        drawing["need_s"] -= drawing["place"].map(taken).fillna(0).astype("int64")
    return drawn


def rate_calls(task: Task) -> None:
    """Rate the month."""
    calls = matched_calls(task, owned_calls(task, accepted_calls(task)))
    packs = pools(task).to_pandas()
    packs["open_from"] = packs["open_from"].astype("datetime64[us]")
    calls["pack_s"] = drawn_seconds(calls, packs)
    charged_s = calls["duration_s"] - calls["pack_s"]
    micro_seconds = charged_s * calls["rate_micro_per_min"] + 60 * calls["setup_micro"].where(charged_s > 0, 0)
    calls["amount_cents"] = -(-micro_seconds // 600_000)
    columns = ["call_id", "customer_id", "owner_user_id", "zone_id", "duration_s", "pack_s", "amount_cents"]
    calls[columns].to_parquet(task.out / "rated.parquet")
    totals = calls.groupby(["customer_id", "zone_id"], as_index=False).agg(
        calls=("call_id", "size"), pack_s=("pack_s", "sum"), amount_cents=("amount_cents", "sum")
    )
    totals[TOTALS].to_csv(task.out / "totals.csv", index=False)


if __name__ == "__main__":
    rate_calls(task_given())
