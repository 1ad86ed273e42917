"""The countries of ISO 3166-1: which codes there are, and the one that is stored.

Which mix of electricity or which market a country has belongs in the factors and the settings.

Stored are the three letters (alpha-3), because the yearly mixes of `grid_yearly` go by them. The 249 pairs are those
officially assigned in ISO 3166-1:2020 (https://www.iso.org/obp/ui/#search/code/), as iso-codes 4.15.0 lists them. Codes
that the standard leaves to users (XKX, ZZZ) and those of publishers (WOR, EEE) are none: a place that is not known is a
gap, not the world's mean.
"""

# each is alpha-2 with its alpha-3 behind it
_PAIRS = """
    ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA AZAZE BABIH
    BBBRB BDBGD BEBEL BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES BRBRA BSBHS BTBTN BVBVT
    BWBWA BYBLR BZBLZ CACAN CCCCK CDCOD CFCAF CGCOG CHCHE CICIV CKCOK CLCHL CMCMR CNCHN COCOL CRCRI CUCUB
    CVCPV CWCUW CXCXR CYCYP CZCZE DEDEU DJDJI DKDNK DMDMA DODOM DZDZA ECECU EEEST EGEGY EHESH ERERI ESESP
    ETETH FIFIN FJFJI FKFLK FMFSM FOFRO FRFRA GAGAB GBGBR GDGRD GEGEO GFGUF GGGGY GHGHA GIGIB GLGRL GMGMB
    GNGIN GPGLP GQGNQ GRGRC GSSGS GTGTM GUGUM GWGNB GYGUY HKHKG HMHMD HNHND HRHRV HTHTI HUHUN IDIDN IEIRL
    ILISR IMIMN ININD IOIOT IQIRQ IRIRN ISISL ITITA JEJEY JMJAM JOJOR JPJPN KEKEN KGKGZ KHKHM KIKIR KMCOM
    KNKNA KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO LBLBN LCLCA LILIE LKLKA LRLBR LSLSO LTLTU LULUX LVLVA LYLBY
    MAMAR MCMCO MDMDA MEMNE MFMAF MGMDG MHMHL MKMKD MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ MRMRT MSMSR MTMLT
    MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ NANAM NCNCL NENER NFNFK NGNGA NINIC NLNLD NONOR NPNPL NRNRU NUNIU
    NZNZL OMOMN PAPAN PEPER PFPYF PGPNG PHPHL PKPAK PLPOL PMSPM PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT
    REREU ROROU RSSRB RURUS RWRWA SASAU SBSLB SCSYC SDSDN SESWE SGSGP SHSHN SISVN SJSJM SKSVK SLSLE SMSMR
    SNSEN SOSOM SRSUR SSSSD STSTP SVSLV SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF TGTGO THTHA TJTJK TKTKL TLTLS
    TMTKM TNTUN TOTON TRTUR TTTTO TVTUV TWTWN TZTZA UAUKR UGUGA UMUMI USUSA UYURY UZUZB VAVAT VCVCT VEVEN
    VGVGB VIVIR VNVNM VUVUT WFWLF WSWSM YEYEM YTMYT ZAZAF ZMZMB ZWZWE
"""
_ALPHA3 = {pair[:2]: pair[2:] for pair in _PAIRS.split()}
CODES = frozenset(_ALPHA3.values())
FIX = "use ISO 3166-1, such as FR or FRA"


def alpha3(code: object) -> str | None:
    """The three letters of a country that is written with two or three capitals; None for anything else."""
    if not isinstance(code, str):
        return None
    return code if code in CODES else _ALPHA3.get(code)


def pairs() -> list[tuple[str, str]]:
    """Every country as its two and its three letters, for whoever must look them up elsewhere."""
    return sorted(_ALPHA3.items())


def stored(name: str | None) -> str | None:
    """A name that may be a country's, or of something else: a country's as its three letters, others as they are."""
    return alpha3(name) or name
